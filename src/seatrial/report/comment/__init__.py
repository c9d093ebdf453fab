"""One comment on a pull request: written once, then kept up to date.

``body.py`` is what it says, ``place.py`` where it goes, ``github.py`` finds the one that is there
and writes it, ``wire.py`` talks to GitHub. Nothing here needs more than Python itself: the job that
may comment installs as little as it can, for it holds a token that writes.
"""
