"""The hyperparameters of scikit-learn's random forests: which there are, types and ranges."""

from __future__ import annotations

from seatrial.models._sklearn_check import INFINITE, Form, Vocabulary

_NULL = Form("null")
_COUNTED = Form("word", words=("sqrt", "log2"))
_SHARE = Form("share", low=0.0, high=1.0, above=True)
_NOT_NEGATIVE = Form("number", low=0.0, high=INFINITE, below=True)

FOREST = Vocabulary(
    known={
        "n_estimators": (Form("integer", low=1),),
        "criterion": (
            Form("word", words=("gini", "entropy", "log_loss"), problem="classes"),
            Form("word", words=("squared_error", "absolute_error", "poisson"), problem="numbers"),
        ),
        "max_depth": (Form("integer", low=1), _NULL),
        "min_samples_split": (Form("integer", low=2), _SHARE),
        "min_samples_leaf": (
            Form("integer", low=1),
            Form("share", low=0.0, high=1.0, above=True, below=True),
        ),
        "min_weight_fraction_leaf": (Form("number", low=0.0, high=0.5),),
        "max_features": (
            Form("integer", low=1),
            _SHARE,
            _COUNTED,
            _NULL,
        ),
        "max_leaf_nodes": (Form("integer", low=2), _NULL),
        "min_impurity_decrease": (_NOT_NEGATIVE,),
        "bootstrap": (Form("boolean"),),
        "max_samples": (Form("integer", low=1), _SHARE, _NULL),
        "class_weight": (
            Form("word", words=("balanced", "balanced_subsample"), problem="classes"),
            Form("weights", low=0.0, high=INFINITE, above=True, below=True, problem="classes"),
            Form("null", problem="classes"),
        ),
        "ccp_alpha": (_NOT_NEGATIVE,),
        "monotonic_cst": (Form("integers", low=-1, high=1), _NULL),
        "n_jobs": (Form("integer", low=1), Form("integer", high=-1), _NULL),
    },
    pages="https://scikit-learn.org/stable/modules/generated/"
    "sklearn.ensemble.RandomForestClassifier.html (…Regressor for numbers)",
    fixed={
        "verbose": (0, "seatrial tells what happens"),
        "warm_start": (False, "a model is always trained from the beginning, so that it repeats"),
        "oob_score": (False, "seatrial judges a model on rows that it never saw"),
    },
    refused={"random_state": "the seed is `seed:` of the pipeline"},
)
"""``friedman_mse`` is left out: the library gives it up, ``squared_error`` splits alike."""
