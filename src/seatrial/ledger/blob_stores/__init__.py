"""Where blobs lie when several machines share them: an object store, by its address.

``store`` is what can be done with one, ``opening`` finds the package that speaks with it,
``refusals`` tells what went wrong. To add another kind of store, install the fsspec package that
knows its addresses; if a put of it is whole or absent by itself, name it in ``opening.WHOLE``.
"""
