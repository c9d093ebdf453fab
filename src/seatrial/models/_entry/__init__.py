r"""Models that a project brings itself: by a function of its own, or as a finished ONNX file.

``found`` says which function an entry point means, ``trainer`` runs it and ``artifact`` takes a
finished file: both ``apart``, in a process of its own (``running`` starts that and ends it,
``child`` is what happens inside). Either way comes out as ``kept``: one file of plain values with
the ONNX model, some rows, and what the original answered to them. So ``register`` proves that the
export equals it without running anything of the project again.

Only with ``trust: pickle``, and only for a model that has no exact form in ONNX, is the trained
object itself kept, in a file ``model.pickle`` of the version. That file is one line of JSON and
then a pickle (written by cloudpickle, with the project's own modules inside)::

    {"format": "seatrial.pickle/1", "features": KIND, "columns": [...], "python": "3.11"}\n

``features``  how the object wants its rows: ``columns`` is a dict of column to array ``[n]``
              (float32, or object strings); ``pandas`` a DataFrame of the same; ``matrix`` an
              array ``[n, k]``: float32, or objects where one of the columns is text
``columns``   the columns that it reads, in its own order: it is given these and no others
``numbers``   how wide the numbers of a DataFrame or a matrix are: ``float32``
``python``    whose pickle it is; another one may not be able to read it

It is asked by ``predict``, and for classes by ``predict_proba`` too, whose columns are in the
order of its ``classes_``, or else in that of the signature's classes.
"""
