"""Pages over what the project remembers, and the API that they stand on: the control port.

A page is a file of ``pages/`` (an address of the API one of ``api/``) with
``ROUTES: tuple[Route, ...]``; the folder is searched, so there is no list to keep. Its functions
are plain ``def``: they may ask the ledger, and are run in one of a few threads.

    def models(request: Request) -> Response:
        found = project(request).registry.versions()
        return page(request, "models.html", title="Models", here="registry", versions=found)

    ROUTES = (Route("/models", models),)

What a page may count on, because ``access/gate.py`` has seen to it before:

- a reader may read: without a token on loopback, with one elsewhere;
- whoever changes something (any method but GET, HEAD, OPTIONS) is an operator, and meant it: a
  form carries ``{{ csrf() }}``, a script the header ``X-CSRF-Token``, a program a token;
- ``operator(request).name`` is who goes into the ledger (``access/actor.py``);
- a form's fields are in ``form(request)`` (``forms.py``), all of them text;
- a :class:`~seatrial.errors.SeatrialError` becomes a page, or ``{"error": …}`` under ``/api/``.

After a change a page answers ``redirect(request, "/models/x", said="…")``.
"""
