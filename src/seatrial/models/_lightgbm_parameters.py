"""LightGBM's hyperparameters: which there are, their aliases, types and ranges.

Written down (from https://lightgbm.readthedocs.io/en/stable/Parameters.html) rather than asked
of the library, so that checking a file does not import it; a test compares the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

INFINITE = math.inf


@dataclass(frozen=True, slots=True)
class Parameter:
    """``kind`` is number, integer, boolean, word, integers, numbers or groups.

    A value must lie in ``[low, high]``; ``above`` and ``below`` exclude that end.
    """

    kind: str
    aliases: tuple[str, ...] = ()
    low: float = -INFINITE
    high: float = INFINITE
    above: bool = False
    below: bool = False
    words: tuple[str, ...] = ()


def _number(aliases: str = "", low: float = -INFINITE, high: float = INFINITE) -> Parameter:
    return Parameter("number", tuple(aliases.split()), low, high)


def _positive(aliases: str = "", high: float = INFINITE) -> Parameter:
    return Parameter("number", tuple(aliases.split()), 0.0, high, above=True)


def _integer(aliases: str = "", low: float = -INFINITE, high: float = INFINITE) -> Parameter:
    return Parameter("integer", tuple(aliases.split()), low, high)


def _boolean(aliases: str = "") -> Parameter:
    return Parameter("boolean", tuple(aliases.split()))


CLASS_OBJECTIVES = {
    "binary": "binary",
    **dict.fromkeys(("multiclass", "softmax"), "multiclass"),
    **dict.fromkeys(("multiclassova", "multiclass_ova", "ova", "ovr"), "multiclassova"),
}
"""Objective words for classes; ``binary`` fits two only."""

NUMBER_OBJECTIVES = {
    **dict.fromkeys(
        (
            *("regression", "regression_l2", "l2", "mean_squared_error", "mse"),
            *("l2_root", "root_mean_squared_error", "rmse"),
        ),
        "regression",
    ),
    **dict.fromkeys(("regression_l1", "l1", "mean_absolute_error", "mae"), "regression_l1"),
    **{word: word for word in ("huber", "fair", "poisson", "quantile", "gamma", "tweedie")},
    **dict.fromkeys(("mape", "mean_absolute_percentage_error"), "mape"),
}

_OBJECTIVES = (*CLASS_OBJECTIVES, *NUMBER_OBJECTIVES)

PARAMETERS: dict[str, Parameter] = {
    "objective": Parameter(
        "word", ("objective_type", "app", "application", "loss"), words=_OBJECTIVES
    ),
    "boosting": Parameter(
        "word", ("boosting_type", "boost"), words=("gbdt", "gbrt", "dart", "goss")
    ),
    "data_sample_strategy": Parameter("word", words=("bagging", "goss")),
    "num_iterations": _integer(
        "num_iteration n_iter num_tree num_trees num_round num_rounds nrounds num_boost_round "
        "n_estimators max_iter",
        1,
    ),
    "learning_rate": _positive("shrinkage_rate eta"),
    "num_leaves": _integer("num_leaf max_leaves max_leaf max_leaf_nodes", 2, 131072),
    "num_threads": _integer("num_thread nthread nthreads n_jobs", -1),
    "max_depth": _integer(),
    "min_data_in_leaf": _integer(
        "min_data_per_leaf min_data min_child_samples min_samples_leaf", 0
    ),
    "min_sum_hessian_in_leaf": _number(
        "min_sum_hessian_per_leaf min_sum_hessian min_hessian min_child_weight", 0
    ),
    "bagging_fraction": _positive("sub_row subsample bagging", 1),
    "pos_bagging_fraction": _positive("pos_sub_row pos_subsample pos_bagging", 1),
    "neg_bagging_fraction": _positive("neg_sub_row neg_subsample neg_bagging", 1),
    "bagging_freq": _integer("subsample_freq"),
    "bagging_seed": _integer("bagging_fraction_seed"),
    "feature_fraction": _positive("sub_feature colsample_bytree", 1),
    "feature_fraction_bynode": _positive("sub_feature_bynode colsample_bynode", 1),
    "feature_fraction_seed": _integer(),
    "extra_trees": _boolean("extra_tree"),
    "extra_seed": _integer(),
    "objective_seed": _integer(),
    "data_random_seed": _integer("data_seed"),
    "max_delta_step": _number("max_tree_output max_leaf_output"),
    "lambda_l1": _number("reg_alpha l1_regularization", 0),
    "lambda_l2": _number("reg_lambda lambda l2_regularization", 0),
    "min_gain_to_split": _number("min_split_gain", 0),
    "drop_rate": _number("rate_drop", 0, 1),
    "max_drop": _integer(),
    "skip_drop": _number("", 0, 1),
    "xgboost_dart_mode": _boolean(),
    "uniform_drop": _boolean(),
    "drop_seed": _integer(),
    "top_rate": _number("", 0, 1),
    "other_rate": _number("", 0, 1),
    "min_data_per_group": _integer("", 1),
    "max_cat_threshold": _integer("", 1),
    "cat_l2": _number("", 0),
    "cat_smooth": _number("", 0),
    "max_cat_to_onehot": _integer("", 1),
    "monotone_constraints": Parameter(
        "integers", ("mc", "monotone_constraint", "monotonic_cst"), -1, 1
    ),
    "monotone_constraints_method": Parameter(
        "word",
        ("monotone_constraining_method", "mc_method"),
        words=("basic", "intermediate", "advanced"),
    ),
    "monotone_penalty": _number("monotone_splits_penalty ms_penalty mc_penalty", 0),
    "feature_contri": Parameter("numbers", ("feature_contrib", "fc", "fp", "feature_penalty"), 0),
    "interaction_constraints": Parameter("groups", low=0),
    "path_smooth": _number("", 0),
    "cegb_tradeoff": _number("", 0),
    "cegb_penalty_split": _number("", 0),
    "cegb_penalty_feature_lazy": Parameter("numbers", low=0),
    "cegb_penalty_feature_coupled": Parameter("numbers", low=0),
    "max_bin": _integer("max_bins", 2),
    "max_bin_by_feature": Parameter("integers", low=2),
    "min_data_in_bin": _integer("", 1),
    "bin_construct_sample_cnt": _integer("subsample_for_bin", 1),
    "is_enable_sparse": _boolean("is_sparse enable_sparse sparse"),
    "enable_bundle": _boolean("is_enable_bundle bundle"),
    "use_missing": _boolean(),
    "feature_pre_filter": _boolean(),
    "histogram_pool_size": _number("hist_pool_size"),
    "is_unbalance": _boolean("unbalance unbalanced_sets"),
    "scale_pos_weight": _positive(),
    "sigmoid": _positive(),
    "boost_from_average": _boolean(),
    "reg_sqrt": _boolean(),
    "alpha": _positive(),
    "fair_c": _positive(),
    "poisson_max_delta_step": _positive(),
    "tweedie_variance_power": Parameter("number", low=1, high=2, below=True),
}

FIXED: dict[str, tuple[object, tuple[str, ...]]] = {
    "deterministic": (True, ()),
    "force_row_wise": (True, ()),
    "force_col_wise": (False, ()),
    "verbosity": (-1, ("verbose",)),
    "device_type": ("cpu", ("device",)),
    "tree_learner": ("serial", ("tree", "tree_type", "tree_learner_type")),
    "linear_tree": (False, ("linear_trees",)),
    "use_quantized_grad": (False, ()),
    "zero_as_missing": (False, ()),
}
"""What seatrial sets, so that training repeats exactly and the model can be exported."""

REFUSED: dict[str, tuple[str, ...]] = {
    "the seed is `seed:` of the pipeline": ("seed", "random_seed", "random_state"),
    "it follows from the target column": ("num_class", "num_classes"),
    "columns of strings are the categories": (
        *("categorical_feature", "cat_feature", "categorical_column", "cat_column"),
        "categorical_features",
    ),
    "there is no second data set while fitting; set num_iterations": (
        *("early_stopping_round", "early_stopping_rounds", "early_stopping", "n_iter_no_change"),
        *("early_stopping_min_delta", "first_metric_only", "metric_freq", "output_freq"),
        *("is_provide_training_metric", "training_metric", "is_training_metric", "train_metric"),
        *("multi_error_top_k", "auc_mu_weights"),
    ),
    "the metric that decides is `metric:` of the pipeline": ("metric", "metrics", "metric_types"),
    "the pipeline names the data and what is done with it": (
        *("data", "train", "train_data", "train_data_file", "data_filename", "valid", "test"),
        *("valid_data", "valid_data_file", "test_data", "test_data_file", "valid_filenames"),
        *("task", "task_type", "config", "config_file", "header", "has_header", "label_column"),
        *("label", "weight_column", "weight", "group_column", "group", "group_id", "query_column"),
        *("query", "query_id", "ignore_column", "ignore_feature", "blacklist", "two_round"),
        *("two_round_loading", "use_two_round_loading", "precise_float_parser", "pre_partition"),
        *("is_pre_partition", "parser_config_file", "forcedbins_filename", "save_binary"),
        *("is_save_binary", "is_save_binary_file", "input_model", "model_input", "model_in"),
        *("output_model", "model_output", "model_out", "snapshot_freq", "save_period"),
        *("forcedsplits_filename", "fs", "forced_splits_filename", "forced_splits_file"),
        *("forced_splits", "saved_feature_importance_type", "refit_decay_rate"),
        *("convert_model", "convert_model_file", "convert_model_language", "output_result"),
        *("predict_result", "prediction_result", "predict_name", "prediction_name", "pred_name"),
        "name_pred",
    ),
    "quantized training gives another model on another number of threads": (
        *("num_grad_quant_bins", "quant_train_renew_leaf", "stochastic_rounding"),
    ),
    "it belongs to linear trees, which cannot be exported": ("linear_lambda",),
    "it says how to predict, not how to train": (
        *("start_iteration_predict", "num_iteration_predict", "predict_raw_score", "raw_score"),
        *("is_predict_raw_score", "predict_rawscore", "predict_leaf_index", "leaf_index"),
        *("is_predict_leaf_index", "predict_contrib", "is_predict_contrib", "contrib"),
        *("predict_disable_shape_check", "pred_early_stop", "pred_early_stop_freq"),
        "pred_early_stop_margin",
    ),
    "it belongs to ranking, which is not trained here": (
        *("eval_at", "ndcg_at", "ndcg_eval_at", "map_at", "map_eval_at", "label_gain"),
        *("lambdarank_truncation_level", "lambdarank_norm", "bagging_by_query"),
        "lambdarank_position_bias_regularization",
    ),
    "training runs on the processors of one machine": (
        *("num_machines", "num_machine", "local_listen_port", "local_port", "port", "time_out"),
        *("machine_list_filename", "machine_list_file", "machine_list", "mlist", "machines"),
        *("workers", "nodes", "gpu_platform_id", "gpu_device_id", "gpu_device_id_list"),
        *("gpu_use_dp", "num_gpu", "top_k", "topk"),
    ),
}

CANONICAL = {
    alias: name
    for name, aliases in (
        *((name, each.aliases) for name, each in PARAMETERS.items()),
        *((name, aliases) for name, (_, aliases) in FIXED.items()),
    )
    for alias in (name, *aliases)
}
"""LightGBM's own name of every name and alias that is allowed or set."""

REASONS = {name: reason for reason, names in REFUSED.items() for name in names}
"""Why a name is refused."""
