"""Pictures of numbers: inline SVG, drawn where the report is written; no script, no style inside.

One file a kind of picture, one function in it that gives a :class:`~seatrial.report.section.Chart`:
the picture, a sentence on what is to be seen, and a table with every number that is drawn. Colours
are classes of ``html/style.css``; what a colour says is also said by a word, a shape or a place.
Numbers that cannot be drawn (NaN, infinities, none) leave a gap, and never an error. To add a
kind: a file here that builds its elements with ``_svg.py``, and a line in ``tests/report/charts``.
"""
