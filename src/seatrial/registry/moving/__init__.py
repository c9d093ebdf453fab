"""A project moves from the files of its home to a database and a store that machines share.

It stands here because the registry knows which blobs its versions and events still need.
"""
