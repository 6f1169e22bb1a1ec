"""The bank of misconceptions is its own mutation test: every entry fails its exercise and is named as itself."""

import sys
import zlib
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from bncourse import check
from bncourse.checks import book
from bncourse.checks.assignments import ASSIGNMENTS, EXERCISES, exercise_named
from bncourse.checks.exercise import Kind
from bncourse.checks.unwritten import UNWRITTEN

ROOT = Path(__file__).parents[1]
SLOW = sys.platform == "emscripten"
"""The browser's Python takes five times as long: fewer of everything."""

WAYS, PAIRS = (1, 2) if SLOW else (2, 10)
"""Ways to make each mistake, and pairs of mistakes in each exercise; `make mutants` takes them all."""

BANK = [
    pytest.param(exercise, entry, wrong, id=f"{exercise.name}-{entry.identifier}-{way}")
    for exercise in EXERCISES.values()
    for entry in exercise.misconceptions
    for way, wrong in enumerate(entry.implementations[:WAYS])
][:: 3 if SLOW else 1]

CHEAP = {
    "whole_number_buffer",
    "changes_its_input",
    "changes_the_cache",
    "updates_the_parameters",
    "cache_missing",
}


@pytest.mark.parametrize(("exercise", "entry", "wrong"), BANK)
def test_every_entry_fails_is_named_as_itself_and_shown(exercise, entry, wrong, request):
    """On other numbers for every entry, the same at every run; `make mutants` takes several for each."""
    report = check(exercise.name, *exercise.bank(wrong), seed=zlib.crc32(request.node.name.encode()))
    assert not report.passed
    assert report.points < report.max_points
    assert report.misconceptions == [entry.identifier]
    assert report.witness is not None
    assert report.witness.sentence.endswith(".")
    arrays = [value for value in report.witness.inputs.values() if isinstance(value, np.ndarray)]
    assert not arrays or arrays[0].size <= (12 if arrays[0].ndim == 4 else 6)
    kept = report.points / report.max_points
    if entry.kind in (Kind.CONVENTION, Kind.NUMERICS):
        assert kept >= 0.9  # another library's rule costs next to nothing
    elif entry.identifier in CHEAP and exercise.name != "BatchNorm":  # a layer goes on with what it changed
        assert kept >= 0.75
    elif "eps" in entry.identifier.split("_"):
        assert 0.6 <= kept < 1.0  # right but for ε keeps most


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_the_idea_is_worth_most(exercise):
    for entry in exercise.misconceptions:
        if entry.identifier in {
            "statistics_along_axis_1",
            "mean_along_axis_1",
            "variance_along_axis_1",
            "one_and_zero",
        }:
            report = check(exercise.name, *exercise.bank(entry.implementations[0]))
            assert report.points <= 0.1 * report.max_points


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_every_entry_says_what_was_done_and_where_it_is_explained(exercise):
    identifiers = [entry.identifier for entry in exercise.misconceptions]
    assert len(set(identifiers)) == len(identifiers)
    for entry in exercise.misconceptions:
        assert entry.sentence.startswith(("You", "Your")), entry.identifier
        assert entry.sentence.endswith((".", "?", ".)"))
        assert len(entry.sentence) > 80
    names = [one.name for one in exercise.properties]
    assert len(set(names)) == len(names)
    assert all(one.needs in ["", *names] for one in exercise.properties)
    assert all(one.statement for one in exercise.properties)


THE_LIST = {
    1: "batchnorm_forward: unbiased_variance",
    2: "batchnorm_forward: eps_outside_the_root",
    3: "batchnorm_forward: eps_missing",
    4: "batchnorm_forward: eps_squared",
    5: "batchnorm_forward: eps_ignored",
    6: "batchnorm_forward: divides_by_the_variance",
    7: "batchnorm_forward: mean_absolute_deviation",
    8: "batchnorm_forward: statistics_along_axis_1",
    9: "batchnorm_forward: one_statistic_for_the_matrix",
    10: "batchnorm_forward: cancels_far_from_zero",
    11: "batchnorm_forward: changes_its_input",
    12: "batchnorm_forward: whole_number_buffer",
    13: "batchnorm_forward: half_precision",
    14: "batchnorm_forward: shifts_before_it_scales",
    15: "batchnorm_forward: gamma_ignored",
    17: "normalize: statistics_down_the_rows",
    18: "BatchNorm: training_uses_the_running_statistics",
    20: "batchnorm_forward: divides_before_it_subtracts",
    21: "identity_parameters: identity_without_eps",
    22: "update_running_stats: momentum_the_other_way_round",
    23: "update_running_stats: biased_running_variance",
    24: "update_running_stats2d: corrected_with_the_images_only",
    25: "update_running_stats: keeps_the_deviation",
    26: "BatchNorm: statistics_never_stored",
    27: "BatchNorm: only_the_mean_updated",
    28: "BatchNorm: last_batch_only",
    29: "update_running_stats: changes_its_input",
    30: "update_running_stats: variance_about_the_new_running_mean",
    31: "BatchNorm: tracks_the_output",
    32: "BatchNorm: running_var_starts_at_zero",
    33: "BatchNorm: no_cumulative_average",
    34: "update_running_stats: eps_in_the_running_variance",
    35: "merge_statistics: variance_of_the_means_missing",
    36: "merge_statistics: shards_weighted_equally",
    37: "merge_statistics: taken_as_unbiased",
    38: "batchnorm_inference: batch_statistics",
    39: "BatchNorm: updates_in_evaluation",
    40: "batchnorm_inference: gamma_and_beta_ignored",
    41: "batchnorm_inference: eps_missing",
    42: "batchnorm_inference: divides_by_the_variance",
    43: "batchnorm_inference_backward: training_formula",
    44: "BatchNorm: backward_of_the_last_training",
    45: "batchnorm_backward: statistics_held_constant",
    46: "batchnorm_backward: mean_path_missing",
    47: "batchnorm_backward: variance_path_missing",
    48: "batchnorm_backward: variance_path_sign",
    49: "batchnorm_backward: mean_path_sign",
    50: "batchnorm_backward: variance_path_without_2",
    51: "batchnorm_backward: sums_not_averaged",
    52: "batchnorm_backward: divides_by_N_minus_1",
    53: "batchnorm2d_backward: divides_by_the_images_only",
    54: "batchnorm_backward: gamma_missing",
    55: "batchnorm_backward: gamma_twice",
    56: "batchnorm_backward: variance_for_deviation",
    57: "batchnorm_backward: sums_along_axis_1",
    58: "batchnorm_backward: x_for_x_hat",
    59: "batchnorm_backward: dgamma_with_x",
    60: "batchnorm_backward: dgamma_with_centred_x",
    61: "batchnorm_backward: parameters_not_summed",
    62: "batchnorm_backward: parameters_averaged",
    63: "batchnorm_backward: dbeta_times_gamma",
    64: "batchnorm_backward: dx_is_zero",
    65: "batchnorm_backward: changes_the_cache",
    66: "batchnorm_backward: divides_by_D",
    67: "batchnorm_backward: factor_on_the_first_term_only",
    68: "batchnorm_backward: only_the_diagonal",
    69: "batchnorm_backward: updates_the_parameters",
    70: "batchnorm_backward: gradients_in_another_order",
    71: "batchnorm_backward: eps_left_out_of_the_backward",
    72: "numerical_gradient: forward_difference",
    73: "batchnorm2d_forward: reshaped_without_transposing",
    74: "batchnorm2d_forward: channels_last",
    75: "batchnorm2d_forward: statistics_over_part_of_the_axes",
    76: "fold_linear: bias_not_scaled",
    77: "fold_linear: eps_missing",
    79: "fold_linear: scales_the_inputs",
    80: "fold_linear: folds_into_the_layer_after",
    81: "fold_conv2d: folds_into_the_layer_after",
    82: "layernorm_forward: normalizes_over_the_batch",
    83: "layernorm_backward: parameters_summed_over_features",
    84: "layernorm_backward: gamma_outside_the_sums",
    85: "groupnorm_forward: interleaved_groups",
    86: "groupnorm_forward: parameters_per_group",
    87: "instancenorm_forward: normalizes_over_the_batch",
    88: "rmsnorm_forward: subtracts_the_mean",
    89: "rmsnorm_forward: divides_by_the_norm",
    90: "rmsnorm_backward: mean_path_kept",
    91: "syncbn_backward: local_backward",
    92: "batchnorm_masked: padding_counted",
    93: "BatchNorm: backward_tracks_again",
}
"""Where each known misconception of the course's list is in the bank; for many of them in other exercises, too."""

NO_ENTRY = {
    16: "parameters of shape (N, D): the checker hands in (D,), so it comes to 61 or to statistics_down_the_rows",
    19: "NaN for one value a channel: a property of its own, one_sample_is_not_nan",
    78: "folding with batch statistics: no batch is handed in",
}


def test_the_whole_list_is_in_the_bank():
    assert THE_LIST.keys() | NO_ENTRY.keys() == set(range(1, 94))
    for place in THE_LIST.values():
        exercise, identifier = place.split(": ")
        assert identifier in {entry.identifier for entry in exercise_named(exercise).misconceptions}, place


def test_every_section_that_is_pointed_to_is_in_the_book():
    sections = {entry.section for exercise in EXERCISES.values() for entry in exercise.misconceptions}
    assert sections <= set(book.PAGES) | set(UNWRITTEN)
    assert not set(book.PAGES) & set(UNWRITTEN)
    for section, page in book.PAGES.items():
        assert f"({section})=" in (ROOT / "book" / f"{page}.md").read_text(encoding="utf-8")


SAME_FUNCTION = {
    frozenset({"deviation_for_variance", "divides_by_the_variance"}): {"eps_outside_the_root"},
    frozenset({"only_centres", "only_rescales"}): {"not_normalized"},
    frozenset({"only_the_mean_updated", "only_the_variance_updated"}): {"statistics_never_stored"},
    frozenset({"training_uses_the_running_statistics", "last_batch_only"}): {"normalizes_by_the_unbiased_variance"},
    frozenset({"bias_ignored", "nothing_in_the_bias_scaled"}): {"mean_not_scaled"},
    frozenset({"mean_path_missing", "variance_path_missing"}): {"statistics_held_constant"},
    frozenset({"mean_path_without_N", "variance_path_without_N"}): {"sums_not_averaged"},
    frozenset({"mean_not_updated", "variance_not_updated"}): {"nothing_updated"},
    frozenset({"mean_not_updated", "variance_about_the_new_running_mean"}): {"variance_about_the_old_running_mean"},
}
"""Two mistakes that together are, letter for letter, a third one."""


def two_mistakes(exercise):
    """Every two wrong steps that can be made at once."""
    entries = [(entry, way) for entry in exercise.misconceptions for way in entry.ways[:1] if way.wrong]
    for (one, first), (other, second) in combinations(entries, 2):
        if not first.wrong.keys() & second.wrong.keys():
            yield {one.identifier, other.identifier}, exercise.from_steps({**first.wrong, **second.wrong})


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_two_mistakes_at_once_are_never_given_a_wrong_name(exercise):
    misnamed = []
    tried = list(two_mistakes(exercise))
    np.random.default_rng(1).shuffle(tried)
    known = {entry.identifier for entry in exercise.misconceptions}
    for seed, (two, wrong) in enumerate(tried[:PAIRS]):
        report = check(exercise.name, *exercise.bank(wrong), seed=seed)
        allowed = two | SAME_FUNCTION.get(frozenset(two), set())
        if not report.passed and not set(report.misconceptions) & known <= allowed:
            misnamed.append((two, report.misconceptions))
    assert misnamed == []


def test_eps_outside_the_root_and_unbiased_variance_are_named_as_two():
    def both(x, gamma, beta, eps=1e-5):
        return gamma * (x - x.mean(axis=0)) / (np.sqrt(x.var(axis=0, ddof=1)) + eps) + beta, None

    report = check("batchnorm_forward", both)
    assert report.misconceptions == ["unbiased_variance", "eps_outside_the_root"]
    assert report.witness.step.name == "var"


def test_nearly_right_functions_without_an_entry_get_no_name():
    unnamed = {
        "batch_mean": [lambda x: x.max(axis=0), lambda x: np.median(x, axis=0), lambda x: x[0]],
        "batch_variance": [lambda x: np.ptp(x, axis=0), lambda x: x.var(axis=0) ** 1.1],
        "normalize": [lambda x, mean, var, eps=1e-5: (x - mean) / (var + eps) ** 0.49],
        "scale_shift": [lambda x_hat, gamma, beta: np.tanh(gamma * x_hat) + beta],
    }
    for name, functions in unnamed.items():
        for function in functions:
            report = check(name, function)
            assert not report.passed
            assert report.misconceptions == []


def test_a_changed_input_and_a_wrong_value_are_both_named():
    def both(x, mean, var, eps=1e-5):
        x -= mean
        return x / (var**0.5 + eps)

    assert check("normalize", both).misconceptions == ["eps_outside_the_root", "changes_its_input"]


def test_every_assignment_lists_its_exercises():
    assert [exercise.name for exercises in ASSIGNMENTS.values() for exercise in exercises] == list(EXERCISES)
    assert sum(exercise.points for exercise in ASSIGNMENTS["forward"]) == 78
