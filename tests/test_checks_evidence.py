"""The stand-ins that an experiment is checked with, Student's t, and what the notebook of `evidence` gives."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest

from bncourse import check
from bncourse.checks.callbacks import CalledTooOften
from bncourse.checks.draw import Draw
from bncourse.checks.evidence import best_rates, verdict
from bncourse.checks.evidence import predictions as asked
from bncourse.checks.evidence.experiment import train_and_seeds
from bncourse.checks.evidence.predictions import CLAIMS
from bncourse.checks.evidence.stand_ins import MOST_CALLS, quantile, simple_trainer, trainer, tuner
from bncourse.checks.evidence.student_t import t_quantile
from bncourse.checks.exercise import Problem

ROOT = Path(__file__).parents[1]
DEGREES = (1, 2, 3, 4, 5, 7, 10, 11, 30, 59, 200)
PROBABILITIES = (0.01, 0.025, 0.3, 0.5, 0.6, 0.9, 0.95, 0.975, 0.995, 0.9995)


def cell(name):
    """The source of a cell of the notebook."""
    cells = json.loads((ROOT / "solutions/evidence/evidence.ipynb").read_text(encoding="utf-8"))["cells"]
    return next("".join(one["source"]) for one in cells if one["id"] == name)


@pytest.mark.parametrize("degrees", DEGREES)
def test_the_quantiles_are_scipys(degrees):
    special = pytest.importorskip("scipy.special")
    for probability in PROBABILITIES:
        right = special.stdtrit(degrees, probability)
        assert t_quantile(probability, degrees) == pytest.approx(right, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("degrees", DEGREES)
def test_the_notebooks_quantiles_are_the_same(degrees, capsys):
    namespace = {"np": np}
    exec("import functools\n" + cell("t-quantile"), namespace)
    for probability in PROBABILITIES:
        right = t_quantile(probability, degrees)
        assert namespace["t_quantile"](probability, degrees) == pytest.approx(right, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("probability", "degrees"), [(0.0, 3), (1.0, 3), (1.95, 3), (0.975, 0), (0.975, 2.5)])
def test_what_is_no_quantile_is_refused_in_a_sentence(probability, degrees):
    with pytest.raises(ValueError, match="t_quantile takes"):
        quantile(probability, degrees)


def test_the_claims_of_the_notebook_are_those_that_are_checked():
    given = next(node for node in ast.parse(cell("given")).body if isinstance(node, ast.Assign))
    namespace = {}
    exec(ast.unparse(given), namespace)
    assert {name: one["ratio"] for name, one in namespace["CLAIMS"].items()} == CLAIMS
    assert all(f"`{name}`" in cell("claims-text") for name in CLAIMS)


class TestTrainer:
    def test_every_arm_and_seed_has_numbers_of_its_own_that_never_change(self):
        train = trainer(1)
        numbers = [train(arm, seed)["test_accuracy"] for arm in ("bn", "plain") for seed in (1, 2, 3)]
        assert len(set(numbers)) == 6
        assert train("bn", np.int64(1))["test_accuracy"] == numbers[0]
        assert trainer(2)("bn", 1)["test_accuracy"] != numbers[0]

    def test_a_run_that_diverges_guesses(self):
        run = trainer(1, [5])("plain", 5)
        assert (run["diverged"], run["test_accuracy"]) == (True, 10.0)
        assert not trainer(1, [5])("bn", 5)["diverged"]

    def test_it_notes_how_it_was_called_whatever_the_style(self):
        train = simple_trainer()
        given = train.fresh()
        given("bn", 1)
        given(seed=2, arm="plain")
        assert train.calls == [("bn", 1), ("plain", 2)]
        train.fresh()
        assert train.calls == []

    @pytest.mark.parametrize("wrong", [("BN", 1), (None, 1), ("bn", 0.5), ("bn", [1, 2]), ("bn", None)])
    def test_an_unknown_arm_and_a_seed_that_is_none_are_refused(self, wrong):
        with pytest.raises((ValueError, TypeError), match="train "):
            trainer(1)(*wrong)

    def test_a_loop_that_never_ends_is_ended(self):
        given = trainer(1).fresh()
        for seed in range(MOST_CALLS):
            given("bn", seed)
        with pytest.raises(CalledTooOften):
            given("bn", 1)

    def test_a_rate_that_is_not_in_the_table_is_made_up_and_bad(self):
        run = tuner({"validation_accuracy": {("bn", 0.5, 1): 90.0}}, "a table")
        assert run("bn", 0.5, 1)["validation_accuracy"] == 90.0
        assert run("bn", 0.7, 1)["validation_accuracy"] < 22.0

    def test_its_calls_are_what_the_experiment_is_judged_by(self):
        def twice(train, seeds, quantity):
            for _ in range(2):
                numbers = [[train(arm, seed)[quantity] for seed in seeds] for arm in ("bn", "plain")]
            return numbers

        report = check("experiment", twice, seed=1)
        assert report.points == report.max_points - 1
        assert "train was called 16 times for 4 seeds, expected 8" in str(report)

    def test_a_rate_that_is_chosen_on_the_judged_seeds_too_is_refused(self):
        def on_more(train, rates, seeds):
            [train("bn", rate, 0) for rate in rates]
            return best_rates.signature.reference(train, rates, seeds)

        report = check("best_rates", on_more, seed=1)
        assert report.points == report.max_points - 1
        assert "train was called with the seed 0, which is not among those for tuning" in str(report)

    def test_one_run_diverges_where_it_is_asked_for(self):
        train, seeds, _ = train_and_seeds(Draw(1, "x"), Problem(5, 2))
        assert [train("plain", seed)["diverged"] for seed in seeds] == [True, False, False, False, False]


class TestVerdict:
    def test_it_is_the_books_rule_in_one_setting(self):
        verdicts = pytest.importorskip("bncourse.evidence.verdicts")
        statistics = pytest.importorskip("bncourse.evidence.statistics")
        rng = np.random.default_rng(0)
        for _ in range(300):
            one = statistics.estimate(rng.normal(rng.normal(0, 2), rng.uniform(0.2, 3), 6))
            right = verdicts.says(one, one.p, 1.0)
            assert verdict.signature.reference(one.low, one.high, 1.0) == right

    def test_a_word_is_shown_as_a_word(self):
        report = check("verdict", lambda low, high, smallest: "yes", seed=1)
        assert report.witness.expected == {"verdict": ["some"]}
        assert report.witness.actual == {"verdict": ["yes"]}
        assert 'verdict[0] is "yes", expected "some"' in str(report)
        assert report.to_dict()["witness"]["actual"] == {"verdict": ["yes"]}
        assert "'some'" in str(report.hint(3))

    @pytest.mark.parametrize(
        ("answer", "sentence"),
        [("maybe", 'returned "maybe", expected one of'), (None, "a return for every case"), (3, "returned an int")],
    )
    def test_what_is_none_of_the_words_is_told(self, answer, sentence):
        assert sentence in " ".join(str(check("verdict", lambda low, high, smallest: answer)).split())


class TestPredictions:
    WHY = "one two three four five six seven eight nine ten"

    @pytest.mark.parametrize(
        ("answer", "points", "sentence"),
        [
            ({}, 0, "names 0 of the claims"),
            ({"faster": (1.5, 1.1, WHY)}, 0, "names 1 of the claims"),
            ({"faster": (1.5, 1.1, WHY), "better": (1, 1, WHY)}, 0, "and others"),
            ({"faster": (1.5, 1.0, WHY), "high_rate": (5, 0, WHY + " eleven")}, 4, "a smallest effect that matters"),
            ({"faster": (-1.5, 1.1, WHY), "high_rate": (5, 1, WHY + " eleven")}, 5, "an effect that you expect"),
            ({"faster": (True, 1.1, WHY), "high_rate": ("5", 1, WHY + " eleven")}, 5, "an effect that you expect"),
            ({"faster": (1.5, 1.1, WHY), "high_rate": (5, 1, WHY)}, 5, "a reason of its own"),
            ({"faster": (1.5, 1.1, WHY), "high_rate": (5, 1, "no no no no no no no no no")}, 5, "a reason"),
            ({"faster": (1.5, 1.1), "high_rate": (5, 1, WHY)}, 0, "belongs to three things"),
            (["faster", "high_rate"], 0, "returned a list of 2, expected a dictionary"),
            (None, 0, "returned None"),
        ],
    )
    def test_what_is_missing_is_told_and_costs_its_own_points(self, answer, points, sentence):
        report = check("predictions", lambda: answer)
        assert (report.points, report.misconceptions) == (points, [])
        assert sentence in " ".join(str(report).split())

    def test_the_claim_against_it_and_no_effect_are_as_good_as_any(self):
        answer = {"small_start": (-40.0, 2.0, self.WHY), "small_batches": (0, 0.5, "and " + self.WHY)}
        assert check("predictions", lambda: answer).passed

    def test_two_claims_are_asked_for_of_more(self):
        assert asked.points == 6
        assert len(CLAIMS) > 2
