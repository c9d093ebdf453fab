"""The hyperparameters of the linear models: which there are, types and ranges."""

from __future__ import annotations

from seatrial.models._sklearn_check import INFINITE, Form, Vocabulary

_SOLVER = "lbfgs fits classes and a direct solver numbers: both repeat exactly"

LINEAR = Vocabulary(
    known={
        "C": (Form("number", low=0.0, above=True, problem="classes"),),
        "alpha": (Form("number", low=0.0, high=INFINITE, below=True, problem="numbers"),),
        "class_weight": (
            Form("word", words=("balanced",), problem="classes"),
            Form("weights", low=0.0, high=INFINITE, above=True, below=True, problem="classes"),
            Form("null", problem="classes"),
        ),
        "fit_intercept": (Form("boolean"),),
        "max_iter": (Form("integer", low=1, problem="classes"),),
        "tol": (Form("number", low=0.0, high=INFINITE, above=True, below=True, problem="classes"),),
    },
    pages="https://scikit-learn.org/stable/modules/generated/"
    "sklearn.linear_model.LogisticRegression.html (…Ridge.html for numbers)",
    fixed={
        "penalty": ("l2", "its strength is `C` (classes; `.inf` is none) or `alpha` (numbers)"),
        "l1_ratio": (0, "the penalty is L2: the solver that repeats exactly knows no other"),
        "dual": (False, "it belongs to another solver"),
        "intercept_scaling": (1, "it belongs to another solver"),
        "positive": (False, "what missing values and words weigh may have either sign"),
        "warm_start": (False, "a model is always trained from the beginning, so that it repeats"),
        "verbose": (0, "seatrial tells what happens"),
    },
    refused={
        "solver": _SOLVER,
        "multi_class": "several classes are fitted together, as the solver does",
        "random_state": "nothing in the fit is random",
        "n_jobs": "a linear model is fitted on one thread, so that it repeats",
        "copy_X": "the rows belong to the pipeline",
    },
)
