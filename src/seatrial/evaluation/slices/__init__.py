"""How good is a model on parts of the rows, and on which part is it worst?

Plain functions of the rows to judge on (:class:`~seatrial.evaluation.labelled.Labelled`), columns
to slice by (``columns``) and what one or two models answer: ``declared.slices`` turns words into
parts of the rows, ``judged.on_slices`` judges on each of them, ``search.worst`` finds the worst
part there is; ``told`` says it in sentences, ``document`` keeps it. Nothing here knows a run.
"""
