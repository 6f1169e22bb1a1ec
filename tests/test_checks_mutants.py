"""The machine that makes wrong answers, and the checker on a few of them; `make mutants` measures it in full.

The figures here are on seed 100, whose mutants the diagnosis was not developed with.
"""

import ast
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mutation import operators, trials
from mutation.cases import CASES
from mutation.equivalence import attempt, expected, judged, problems
from mutation.judging import Fresh, judge
from mutation.making import half, population, sample
from mutation.operators import OPERATORS, scope_of
from mutation.roles import roles
from mutation.simpler import verdicts
from right_answers import RIGHT

from bncourse.checks.assignments import EXERCISES
from bncourse.checks.exercise import Kind

ROOT = Path(__file__).parents[1]


def slips(line, operator):
    """What an operator makes of one line of a function of x, gamma and beta."""
    tree = ast.parse(f"def f(x, gamma, beta, eps=1e-5):\n    mean = x.mean(axis=0)\n    {line}")
    scope = scope_of(tree)
    found = set()
    for node in ast.walk(tree.body[0].body[1]):
        for replacement in OPERATORS[operator](node, scope):
            found.add(f"{ast.unparse(node)} -> {ast.unparse(replacement)}")
    return found


@pytest.mark.parametrize(
    ("operator", "line", "slip"),
    [
        ("operator_swapped", "y = gamma * x + beta", "gamma * x + beta -> gamma * x - beta"),
        ("operand_dropped", "y = gamma * x + beta", "gamma * x + beta -> gamma * x"),
        ("operands_exchanged", "y = x - mean", "x - mean -> mean - x"),
        ("bracket_moved", "y = (x - mean) / eps", "(x - mean) / eps -> x - mean / eps"),
        ("root_narrowed", "y = np.sqrt(mean + eps)", "np.sqrt(mean + eps) -> np.sqrt(mean) + eps"),
        ("sign_changed", "y = -mean", "-mean -> mean"),
        ("constant_changed", "y = -0.5 * mean", "0.5 -> 2.0"),
        ("axis_changed", "y = x.var(axis=0)", "x.var(axis=0) -> x.var(axis=1)"),
        ("axis_changed", "y = np.mean(x, (0, 2, 3))", "np.mean(x, (0, 2, 3)) -> np.mean(x, (2, 3))"),
        ("keyword_changed", "y = x.var(axis=0)", "x.var(axis=0) -> x.var(axis=0, ddof=1)"),
        ("call_removed", "y = np.sqrt(mean)", "np.sqrt(mean) -> mean"),
        ("call_swapped", "y = x.sum(axis=0)", "x.sum(axis=0) -> x.mean(axis=0)"),
        ("name_swapped", "y = gamma * x", "gamma -> beta"),
        ("shape_swapped", "y = x.shape[0]", "x.shape[0] -> x.shape[1]"),
        ("shape_swapped", "N, D = x.shape", "N, D = x.shape -> D, N = x.shape"),
        ("layout_changed", "y = np.einsum('nd->d', x)", "np.einsum('nd->d', x) -> np.einsum('nd->n', x)"),
        ("statement_deleted", "mean -= x", "mean -= x -> pass"),
        ("returned_exchanged", "return mean, x", "return (mean, x) -> return (x, mean)"),
        ("augmented_plain", "mean = mean - x", "mean = mean - x -> mean -= x"),
        ("branch_negated", "y = x if eps else mean", "x if eps else mean -> x if not eps else mean"),
    ],
)  # fmt: skip
def test_an_operator_makes_the_slip_it_is_named_after(operator, line, slip):
    assert slip in slips(line, operator)


def test_every_operator_is_documented():
    assert all(f"``{name}``" in operators.__doc__ for name in OPERATORS)


def test_the_same_seed_draws_the_same_mutants_and_development_shares_none_with_the_report():
    again = [str(one) for one in sample("batchnorm_forward", 3, 30)]
    assert again == [str(one) for one in sample("batchnorm_forward", 3, 30)]
    assert again != [str(one) for one in sample("batchnorm_forward", 4, 30)]
    seen = {one.source for seed in range(3) for one in sample("batchnorm_forward", seed, 200)}
    reported = {one.source for seed in range(100, 103) for one in sample("batchnorm_forward", seed, 200)}
    assert len(seen) > 300
    assert len(reported) > 300
    assert not seen & reported


def test_mutants_are_made_of_many_styles_and_by_every_operator():
    made = population("batchnorm_backward")
    assert {one.operator for one in made} >= OPERATORS.keys() - {"branch_negated", "default_changed"}
    assert len({one.style for one in made}) > len(RIGHT["batchnorm_backward"])
    assert 0.4 < np.mean([half(one) for one in made]) < 0.6


def test_guards_that_only_raise_are_left_alone():
    refusing = [one for one in population("batchnorm_forward") if "refuses" in one.style]
    assert refusing
    assert all("raise ValueError" in one.source for one in refusing)


def find(exercise, before, after, style=""):
    """The first mutant with this change."""
    for one in population(exercise):
        if one.before == before and one.after == after and style in one.style:
            return one
    raise AssertionError(f"no mutant of {exercise} turns {before} into {after}")


@pytest.mark.parametrize(
    ("exercise", "before", "after"),
    [
        ("batch_variance", "x - x.mean(axis=0)", "x.mean(axis=0) - x"),
        ("batchnorm_forward", "x.mean(axis=0, keepdims=True)", "x.mean(axis=0)"),
        ("batchnorm_backward", "dy.sum(axis=0, keepdims=True)", "dy.sum(axis=0)"),
    ],
)
def test_a_mutant_that_is_right_after_all_is_found_out(exercise, before, after):
    assert judged(find(exercise, before, after)).equivalent


@pytest.mark.parametrize(
    ("exercise", "before", "after"),
    [
        ("batch_variance", "x.std(axis=0)", "x.std(axis=0, ddof=1)"),
        ("batch_variance", "x.std(axis=0)", "x.std(axis=1)"),
        ("batchnorm_forward", "np.sqrt(var + eps)", "np.sqrt(var) + eps"),
        ("batchnorm_forward", "np.array(x, dtype=float)", "x"),
    ],
)
def test_a_wrong_mutant_is_not_taken_for_right(exercise, before, after):
    assert not judged(find(exercise, before, after)).equivalent


def test_right_answers_are_equivalent_to_the_reference():
    for exercise in CASES:  # an exercise of which many answers are right has none
        for functions in RIGHT[exercise]:
            for inputs, right in list(zip(problems(exercise), expected(exercise), strict=True))[:3]:
                trial = attempt(CASES[exercise], functions, inputs)
                assert (trial.error, trial.changed) == ("", ())
                assert trial.arrays.keys() == right.arrays.keys()


def test_what_does_not_end_is_stopped():
    def endless(x):
        while True:
            pass

    case = CASES["batch_mean"]
    assert attempt(case, (endless,), problems("batch_mean")[0]).error == "TooLong"


@pytest.mark.parametrize(
    ("exercise", "before", "after", "style", "about", "not_about"),
    [
        ("batchnorm_forward", "np.sqrt(var + eps)", "np.sqrt(var) + eps", "", {"eps", "std", "var"}, {"beta"}),
        ("batch_variance", "x.std(axis=0)", "x.std(axis=0, ddof=1)", "", {"N", "var"}, {"axis"}),
        ("batch_variance", "x.std(axis=0)", "x.std(axis=1)", "", {"axis", "var"}, {"eps"}),
        ("batchnorm_backward", "dbeta / len(dx)", "len(dx) / dbeta", "own_buffers", {"dx_mean", "N"}, {"eps", "gamma"}),
        ("batchnorm_backward", "dy.sum(axis=0)", "dy.mean(axis=0)", "", {"dbeta", "N"}, {"eps"}),
        ("batchnorm_backward_graph", "2", "1", "reference", {"dvar"}, {"dgamma"}),
    ],
)
def test_the_roles_of_a_mutant_follow_from_the_change(exercise, before, after, style, about, not_about):
    found = roles(find(exercise, before, after, style))
    assert about <= found
    assert not not_about & found


def test_a_false_prediction_and_a_quantity_that_was_not_changed_are_named_wrongly():
    mutant = find("batchnorm_forward", "np.sqrt(var + eps)", "np.sqrt(var) + eps")
    seen = Fresh(mutant)
    task = EXERCISES["batchnorm_forward"]

    def diagnosis(about, functions):
        return SimpleNamespace(
            identifier="something",
            kind=Kind.ERROR,
            about=frozenset(about),
            predict=lambda arguments: task.run(functions, arguments).arrays,
        )

    assert seen.fault(diagnosis({"eps"}, mutant.functions)) == ""
    assert seen.fault(diagnosis({"eps"}, task.reference)).startswith("predicts another y")
    assert seen.fault(diagnosis({"beta"}, mutant.functions)).startswith("speaks about beta")


def test_golden_arrays_miss_what_the_checker_catches():
    ignores_gamma = [one for one in EXERCISES["batchnorm_forward"].misconceptions if one.identifier == "gamma_ignored"]
    said = verdicts("batchnorm_forward", (ignores_gamma[0].implementations[0],), seed=1)
    assert said["golden"] is True
    assert said["allclose"] is False
    assert said["ours"] is False
    assert said["central"] is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "exercise", ["batch_variance", "normalize", "batchnorm_forward", "scale_shift_backward", "batchnorm_backward"]
)
def test_mutants_are_killed_and_none_is_named_wrongly(exercise):
    found = trials.mutants([exercise], seed=100, count=16, processes=1)
    total = trials.counted(found)
    assert [one.text for one in found if one.outcome == "survived"] == []
    assert [(one.text, one.why) for one in found if one.outcome == "named wrongly"] == []
    assert total.answering >= 5
    assert total.explained >= 1


def test_a_judgement_says_what_was_said():
    one = judge(find("batch_variance", "x.std(axis=0)", "x.std(axis=0, ddof=1)"))
    assert (one.outcome, one.said) == ("explained", ("unbiased_variance",))


def test_the_tool_prints_its_tables_and_says_whether_the_targets_are_met(capsys):
    spec = importlib.util.spec_from_file_location("mutants_tool", ROOT / "tools" / "mutants.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.main(["--reduced", "--only", "bank", "right", "--exercise", "scale_shift"]) == 0
    printed = capsys.readouterr().out
    assert "Kill matrix of the bank" in printed
    assert "held    every entry is named as itself" in printed
    assert tool.target("something false", False) is False
    assert "MISSED  something false" in capsys.readouterr().out
