"""What a version takes to answer: time, memory, room.

``limits`` are the words of the pipeline file, ``measuring`` the way from a version to measures.
Two kinds of child do the work, each a fresh interpreter: ``timing`` opens both versions and lets
them answer in turn, ``memory`` opens one. ``quantiles`` and ``beside`` say what their times prove.
"""
