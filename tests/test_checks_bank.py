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
"""The browser's Python takes five times as long: one way to make each mistake, and few pairs of mistakes."""

BANK = [
    pytest.param(exercise, entry, wrong, id=f"{exercise.name}-{entry.identifier}-{way}")
    for exercise in EXERCISES.values()
    for entry in exercise.misconceptions
    for way, wrong in enumerate(entry.implementations[: 1 if SLOW else None])
]

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


def test_the_numbers_of_the_list_are_in_the_bank():
    """Of misconceptions.md: 1 unbiased, 2 √var + ε, 3 no ε, 4 ε², 5 own ε, 6 the variance, 8 axis 1, 9 whole matrix,
    11 changed input, 12 whole-number buffer, 14 γ(x̂+β), 15 γ or β left out, 21 identity without ε."""
    wanted = {
        "batchnorm_forward": {
            "unbiased_variance",
            "eps_outside_the_root",
            "eps_missing",
            "eps_squared",
            "eps_ignored",
            "divides_by_the_variance",
            "statistics_along_axis_1",
            "one_statistic_for_the_matrix",
            "changes_its_input",
            "whole_number_buffer",
            "shifts_before_it_scales",
            "gamma_ignored",
            "beta_ignored",
        },
        "identity_parameters": {"identity_without_eps", "eps_outside_the_root", "eps_ignored", "unbiased_variance"},
    }
    for name, identifiers in wanted.items():
        assert identifiers <= {entry.identifier for entry in exercise_named(name).misconceptions}


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
    for seed, (two, wrong) in enumerate(tried[: 2 if SLOW else 25]):
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
    assert sum(exercise.points for exercise in ASSIGNMENTS["forward"]) == 84
