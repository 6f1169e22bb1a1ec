"""The claims on trial: the statistics are right, the rule is the one that is written down, and no kept result is old,
picked or impossible to repeat."""

import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bncourse import cli, evidence
from bncourse.evidence import arms, fingerprint, record, running, table, verdicts
from bncourse.evidence.experiment import Experiment, Primary, Scale
from bncourse.evidence.statistics import Estimate, estimate, holm
from bncourse.nn import BatchNorm, Linear

# --- statistics


def test_the_interval_is_scipys():
    effects = np.random.default_rng(0).normal(0.4, 2.0, 9)
    one = estimate(effects)
    expected = stats.ttest_1samp(effects, 0.0)
    low, high = expected.confidence_interval(0.95)
    np.testing.assert_allclose([one.low, one.high, one.p], [low, high, expected.pvalue], rtol=1e-12)
    assert (one.mean, one.count) == (pytest.approx(effects.mean()), 9)
    wider = estimate(effects, level=0.99)
    assert wider.low < one.low < one.high < wider.high


def test_the_interval_covers_what_it_promises():
    """2,000 times six normal values: the true mean lies inside 95 % of the intervals."""
    drawn = np.random.default_rng(0).normal(3.0, 1.0, (2000, 6))
    found = [estimate(one) for one in drawn]
    assert np.mean([one.low <= 3.0 <= one.high for one in found]) == pytest.approx(0.95, abs=0.012)


def test_equal_effects_have_no_scatter():
    assert estimate([2.0, 2.0, 2.0]) == Estimate(2.0, 2.0, 2.0, 0.0, 3)
    assert estimate([0.0, 0.0]) == Estimate(0.0, 0.0, 0.0, 1.0, 2)


@pytest.mark.parametrize("effects", [[1.0], [], [1.0, np.inf], [1.0, "nan"], [[1.0, 2.0]]])
def test_what_has_no_interval_is_refused(effects):
    with pytest.raises(ValueError, match="two or more finite effects"):
        estimate(effects)


def test_holm_by_hand():
    """0.01 · 4, 0.02 · 3, 0.03 · 2 = the one before, 0.04 · 1 raised to the one before; in the order given."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


# --- verdicts


def effect(low, high):
    return Estimate((low + high) / 2, low, high, 0.0, 10)


@pytest.mark.parametrize(
    ("low", "high", "p", "says"),
    [
        (1.0, 3.0, 0.01, "yes"),
        (1.1, 3.0, 0.06, "open"),  # large, but not clearly above zero once all are corrected
        (0.5, 3.0, 0.01, "some"),
        (0.5, 1.0, 0.01, "some"),
        (0.5, 3.0, 0.05, "open"),
        (-0.5, 3.0, 0.2, "open"),
        (-3.0, 1.5, 0.2, "open"),
        (0.2, 0.9, 0.01, "no"),  # clearly there and too small to matter
        (-0.9, 0.9, 0.9, "no"),
        (-3.0, 0.5, 0.1, "no"),
        (-3.0, -0.5, 0.01, "no"),  # clearly below zero, perhaps by little
        (-3.0, -1.5, 0.06, "no"),
        (-3.0, -1.0, 0.01, "opposite"),
    ],
)
def test_each_row_of_what_an_interval_says(low, high, p, says):
    assert verdicts.says(effect(low, high), p, 1.0) == says


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (["yes", "yes"], "holds"),
        (["yes", "no"], "in part"),
        (["yes", "open"], "in part"),
        (["some", "some"], "in part"),
        (["yes", "opposite"], "contested"),
        (["some", "no", "opposite"], "contested"),
        (["open"], "contested"),
        (["open", "no"], "contested"),
        (["open", "opposite"], "contested"),
        (["no", "no"], "fails"),
        (["no", "opposite"], "fails"),
        (["opposite"], "fails"),
    ],
)
def test_each_row_of_what_the_settings_say_together(found, word):
    assert verdicts.word(found) == word


def test_a_ratio_is_judged_by_the_logarithm_of_its_smallest_factor():
    around_two = np.log([1.9, 2.0, 2.1, 2.0])
    primaries = {
        "a": Primary("q", Scale.RATIO, 1.5, ("s",)),
        "b": Primary("q", Scale.RATIO, 2.5, ("s",)),
        "c": Primary("q", Scale.DIFFERENCE, 0.5, ("s",)),
    }
    found = verdicts.verdicts(primaries, {name: {"s": around_two} for name in primaries})
    assert [one.word for one in found] == ["holds", "fails", "holds"]


def test_holm_is_taken_over_all_settings_of_all_experiments():
    """One effect is clear alone, and not among eleven others that show nothing."""
    weak, nothing = [0.6, 1.0, 1.4, 1.0], [-1.0, 1.0, -0.5, 0.5]
    one = Primary("q", Scale.DIFFERENCE, 0.1, ("s",))
    alone = verdicts.verdicts({"a": one}, {"a": {"s": weak}})[0].findings[0]
    many = Primary("q", Scale.DIFFERENCE, 0.1, tuple("0123456789x"))
    effects = {"a": {"s": weak}, "b": dict.fromkeys(many.settings, nothing)}
    among = verdicts.verdicts({"a": one, "b": many}, effects)[0].findings[0]
    assert (alone.says, among.says) == ("yes", "open")
    assert among.p == pytest.approx(12 * alone.p)


# --- fingerprint


def written(folder, monkeypatch, **modules):
    """A package of these sources, whose fingerprints are taken; gives the fingerprint of its module ``trial``."""
    monkeypatch.setattr(fingerprint, "PACKAGE", "course_of_the_test")
    monkeypatch.syspath_prepend(str(folder))
    package = folder / "course_of_the_test"
    for name, source in ({"__init__": ""} | modules).items():
        path = package / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    for name in [name for name in sys.modules if name.startswith("course_of_the_test")]:
        monkeypatch.delitem(sys.modules, name)
    fingerprint.read.cache_clear()
    return fingerprint.fingerprint.__wrapped__("course_of_the_test.trial")


TRIAL = """
'''Says what.'''
from .theory import rate
import course_of_the_test.data
import numpy

class Settings:
    '''Says more.'''
    steps: int = 3
    '''Of a run.'''

def trial(seed):
    '''Says how.'''
    return {"effects": rate(seed), "text": f"{seed:.2f} trials"}

EXPERIMENT = dict(prediction="It will grow.", smallest=1.5)
"""
PACKAGE = {
    "theory": "from . import deep\ndef rate(seed): return deep.x(seed)\ndef other(seed): return 2",
    "deep": "def x(seed): return y\ny = 1\nz = 1",
    "data": "y = 2",
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def trial(seed):", "# why\ndef trial(seed):"),
        ("'''Says how.'''", "'''Says it better.'''"),
        ("'''Of a run.'''", ""),
        ("'''Says what.'''", ""),
        ('"It will grow."', "(\n    'It will '\n    'grow.'\n)"),
        ("smallest=1.5)", "smallest=1.5,\n)"),
    ],
)
def test_comments_docstrings_and_layout_make_no_result_old(tmp_path, monkeypatch, old, new):
    before = written(tmp_path / "a", monkeypatch, trial=TRIAL, **PACKAGE)
    assert TRIAL.count(old) == 1
    assert written(tmp_path / "b", monkeypatch, trial=TRIAL.replace(old, new), **PACKAGE) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("It will grow.", "It will shrink."),
        ("smallest=1.5", "smallest=1.4"),
        ("steps: int = 3", "steps: int = 4"),
        ("rate(seed)", "rate(-seed)"),
        ("{seed:.2f}", "{seed:.3f}"),
    ],
)
def test_code_predictions_and_settings_do(tmp_path, monkeypatch, old, new):
    before = written(tmp_path / "a", monkeypatch, trial=TRIAL, **PACKAGE)
    assert TRIAL.count(old) == 1
    assert written(tmp_path / "b", monkeypatch, trial=TRIAL.replace(old, new), **PACKAGE) != before


def test_what_is_reached_counts_and_nothing_else(tmp_path, monkeypatch):
    changed = partial(written, monkeypatch=monkeypatch, trial=TRIAL)
    before, deep, theory = changed(tmp_path / "a", **PACKAGE), PACKAGE["deep"], PACKAGE["theory"]
    assert changed(tmp_path / "b", **PACKAGE | {"other": "z = 3"}) == before
    assert changed(tmp_path / "c", **PACKAGE | {"__init__": "z = 3"}) == before  # the door imports for convenience
    assert changed(tmp_path / "d", **PACKAGE | {"deep": deep.replace("y = 1", "y = 7")}) != before  # by way of x
    assert changed(tmp_path / "e", **PACKAGE | {"data": "y = 7"}) != before  # imported as a whole
    assert changed(tmp_path / "f", **PACKAGE | {"deep": deep.replace("z = 1", "z = 7")}) == before
    assert changed(tmp_path / "g", **PACKAGE | {"theory": theory.replace("return 2", "return 7")}) == before
    assert changed(tmp_path / "h", **PACKAGE | {"deep": f"{deep}\nprint(y)"}) != before  # runs whatever is asked for


def test_a_module_handed_on_as_a_whole_counts_as_a_whole(tmp_path, monkeypatch):
    theory = "from . import deep\ndef rate(seed): return getattr(deep, 'z')"
    before = written(tmp_path / "a", monkeypatch, trial=TRIAL, **PACKAGE | {"theory": theory})
    deep = PACKAGE["deep"].replace("z = 1", "z = 7")
    assert written(tmp_path / "b", monkeypatch, trial=TRIAL, **PACKAGE | {"theory": theory, "deep": deep}) != before


def test_what_a_package_hands_on_counts_where_it_was_written(tmp_path, monkeypatch):
    sources = {"trial": "from .math import mean\ndef trial(seed): return mean(seed)", "math.__init__": ""}
    sources |= {"math.means": "def mean(x): return x\ndef median(x): return x"}
    door = "from .means import mean"
    before = written(tmp_path / "a", monkeypatch, **sources | {"math.__init__": door})
    wider = f"{door}, median"
    assert written(tmp_path / "b", monkeypatch, **sources | {"math.__init__": wider}) == before
    other = {
        "math.__init__": door,
        "math.means": sources["math.means"].replace("mean(x): return x", "mean(x): return -x"),
    }
    assert written(tmp_path / "c", monkeypatch, **sources | other) != before


def test_an_experiment_stands_on_the_mathematics_the_networks_and_the_data():
    found = fingerprint.reached("bncourse.evidence.learning_rate")
    assert {
        ("bncourse.evidence.learning_rate", "trial"),
        ("bncourse.evidence.arms", "tuned"),
        ("bncourse.evidence.experiment", "Primary"),
        ("bncourse.nn.normalization", "BatchNorm"),
        ("bncourse.nn.training", "fit"),
        ("bncourse.functional.backward", "batchnorm_backward"),
        ("bncourse.functional._channels", "mean_and_centred"),
        ("bncourse.datasets", "digits"),
    } <= {piece for piece, statements in found.items() if statements}
    modules = {module for module, _ in found}
    assert not {"bncourse", "bncourse.evidence.table", "bncourse.evidence.verdicts", "bncourse.checks"} & modules
    assert not any(
        name.startswith("bncourse.evidence.") and name.endswith(("inference", "panacea")) for name in modules
    )
    assert ("bncourse.functional.variants", "layernorm_forward") in fingerprint.reached("bncourse.evidence.panacea")


# --- a small experiment


@dataclass(frozen=True)
class Small:
    noise: float = 1.0


def small_trial(seed, settings, tuned):
    found = np.random.default_rng(seed).normal(tuned["rate"], settings.noise, 3)
    return {"effects": {"one": found[0], "other": found[1]}, "curve": found, "never": np.inf, "count": np.int64(3)}


SMALL = Experiment(
    name="learning_rate",  # a name that the pool may look up
    title="Small",
    page="evidence/small",
    claim="It grows.",
    prediction="It will grow.",
    primary=Primary("growth", Scale.DIFFERENCE, 0.5, ("one", "other"), " points"),
    trial=small_trial,
    full=Small(),
    reduced=Small(0.1),
    seeds=3,
    tune=lambda settings: {"rate": np.float64(1 / 3), "best": np.bool_(True)},
)


def made(one=SMALL, seeds=(0, 1, 2)):
    """Its result, without a pool."""
    tuned = record.tuning(one, one.full)
    trials = [record.one_trial(one, seed, one.full, tuned[0]) for seed in seeds]
    return record.result_of(one, seeds, tuned, trials, record.reduced_run(one))


# --- record


def test_what_is_saved_is_what_is_loaded(tmp_path):
    result = made()
    path = record.save(result, tmp_path)
    assert record.load(SMALL, tmp_path) == result
    assert [one.name for one in tmp_path.iterdir()] == [path.name] == ["learning_rate.json"]
    assert result.seeds == (0, 1, 2)
    assert result.tuned == {"rate": 0.3333333333, "best": True}
    assert result.reduced["settings"] == {"noise": 0.1}
    assert [list(one) for one in result.effects.values()] == [
        [trial["effects"][name] for trial in result.trials] for name in ("one", "other")
    ]


def test_infinities_survive(tmp_path):
    record.save(made(), tmp_path)
    kept = record.load(SMALL, tmp_path)
    np.testing.assert_array_equal(kept.values("never"), [np.inf] * 3)
    assert kept.values("curve").shape == (3, 3)
    assert record.plain([-np.inf, np.nan, None, "text", 1e-300]) == ["-inf", "nan", None, "text", 1e-300]


def test_an_experiment_without_tuning_keeps_none():
    assert made(replace(SMALL, tune=None, trial=lambda seed, s, t: {"effects": {"one": 1, "other": 2}})).tuned is None


def test_nothing_is_half_written(tmp_path, monkeypatch):
    path = record.save(made(), tmp_path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        record.save(replace(made(), tuned={"a": object()}), tmp_path)
    monkeypatch.setattr(type(path), "replace", lambda *_: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        record.save(made(seeds=(4, 5)), tmp_path)
    assert path.read_bytes() == before


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("ab[]{},: "),
    lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text("ab[]{},: ", max_size=3), one, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
@settings(max_examples=100, deadline=None)
def test_packing_changes_no_value(value):
    text = json.dumps(value, indent=1)
    assert json.loads(record.packed(text)) == value
    assert len(record.packed(text)) <= len(text)


def test_a_list_of_numbers_is_one_line():
    text = json.dumps({"a": [1, 2, 3], "b": {"c": [[1, 2], []]}}, indent=1)
    assert record.packed(text).splitlines()[1] == ' "a": [1, 2, 3],'


def test_a_trial_that_owes_an_effect_is_refused():
    one = replace(SMALL, trial=lambda seed, settings, tuned: {"effects": {"one": 1.0}})
    with pytest.raises(ValueError, match="gives effects for"):
        record.one_trial(one, 0, one.full, None)


def test_a_missing_result_says_what_to_run(tmp_path):
    with pytest.raises(record.Stale, match="has no result yet: run `bncourse evidence run learning_rate`"):
        record.load(SMALL, tmp_path)


def test_a_result_of_other_code_says_so(tmp_path):
    record.save(replace(made(), fingerprint="0" * 16), tmp_path)
    with pytest.raises(record.Stale, match="older than its code: run `bncourse evidence run learning_rate`"):
        record.load(SMALL, tmp_path)
    assert record.load(SMALL, tmp_path, stale=True).fingerprint == "0" * 16


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"seeds": [], "trials": [], "colour": 3}'])
def test_a_file_that_is_no_result_says_so(tmp_path, text):
    (tmp_path / "learning_rate.json").write_text(text)
    with pytest.raises(record.Stale, match="cannot be read"):
        record.load(SMALL, tmp_path)


# --- running


@pytest.fixture
def pool(monkeypatch):
    """Lets ``running`` run SMALL, or another, in children that inherit this process instead of starting afresh."""
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("children cannot inherit a test's experiment here")
    monkeypatch.setattr(running, "get_context", lambda _: multiprocessing.get_context("fork"))

    def use(one):
        monkeypatch.setattr(running, "experiment", lambda _: one)

    use(SMALL)
    return use


inherit = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def without_timings(path):
    return {key: value for key, value in json.loads(path.read_text()).items() if key != "seconds"}


@inherit
def test_the_number_of_jobs_changes_no_number(tmp_path, pool):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (one,) = running.run(["learning_rate"], jobs=1, folder=tmp_path / "a")
    (two,) = running.run(["learning_rate"], jobs=2, folder=tmp_path / "b")
    assert without_timings(one) == without_timings(two)
    assert record.load(SMALL, tmp_path / "a") == replace(made(), seconds=record.load(SMALL, tmp_path / "a").seconds)


@inherit
def test_a_run_in_children_repeats_the_one_in_this_process(tmp_path, pool):
    """A real experiment, made as small as its reduced run: both must give the same numbers."""
    real = evidence.experiment("learning_rate")
    pool(replace(real, full=real.reduced))
    (path,) = running.run(["learning_rate"], seeds=2, jobs=2, folder=tmp_path)
    kept = json.loads(path.read_text())
    assert kept["trials"] == kept["reduced"]["trials"]
    assert kept["tuned"] == kept["reduced"]["tuned"]
    assert kept["seeds"] == kept["reduced"]["seeds"] == [0, 1]


def test_a_fresh_process_finds_an_experiment_by_its_name():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        found, _ = fresh.submit(running.reduced_by_name, "scale_invariance").result()
    assert_repeats(record.reduced_run(evidence.experiment("scale_invariance"))[0], found)


@inherit
@pytest.mark.parametrize("wrong", ["trial", "tune", "reduced"])
def test_whatever_raises_leaves_no_file(tmp_path, pool, wrong):
    def trial(seed, settings, tuned):
        if seed == 2 or (wrong == "reduced" and settings == SMALL.reduced):
            raise ZeroDivisionError("in the trial")
        return small_trial(seed, settings, tuned)

    def tune(settings):
        raise ZeroDivisionError("in the tuning")

    pool(replace(SMALL, tune=tune) if wrong == "tune" else replace(SMALL, trial=trial))
    with pytest.raises(ZeroDivisionError):
        running.run(["learning_rate"], folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_after_a_failure_no_more_trials_are_begun(tmp_path, monkeypatch):
    begun = []

    def trial(seed, settings, tuned):
        begun.append(seed)
        if seed == 0 and settings == SMALL.full:
            raise ZeroDivisionError("in the trial")
        time.sleep(0.005)
        return small_trial(seed, settings, tuned)

    monkeypatch.setattr(running, "experiment", lambda _: replace(SMALL, trial=trial))
    monkeypatch.setattr(running, "ProcessPoolExecutor", lambda jobs, mp_context: ThreadPoolExecutor(jobs))
    with pytest.raises(ZeroDivisionError):
        running.run(["learning_rate"], seeds=300, folder=tmp_path)
    assert len(begun) < 300


def test_without_tuning_there_are_only_trials(tmp_path, monkeypatch):
    """In threads of this process."""
    one = replace(SMALL, tune=None, trial=lambda seed, settings, tuned: small_trial(seed, settings, {"rate": 0.0}))
    monkeypatch.setattr(running, "experiment", lambda _: one)
    monkeypatch.setattr(running, "ProcessPoolExecutor", lambda jobs, mp_context: ThreadPoolExecutor(jobs))
    running.run(["learning_rate"], seeds=2, folder=tmp_path)
    kept = record.load(one, tmp_path)
    assert (kept.tuned, kept.seeds) == (None, (0, 1))


def test_the_pool_runs_the_full_settings(monkeypatch):
    monkeypatch.setattr(running, "experiment", lambda _: SMALL)
    tuned, _ = running.tune_by_name("learning_rate")
    assert running.trial_by_name("learning_rate", 1, tuned)[0] == made().trials[1]
    assert running.reduced_by_name("learning_rate")[0] == made().reduced


def test_a_source_edited_during_the_run_makes_the_result_old(tmp_path, monkeypatch):
    """The fingerprint is that of the beginning: the trials may be of either version."""
    now = ["before"]
    taken = {}
    monkeypatch.setattr(running, "fingerprint", lambda module: taken.setdefault(module, now[0]))
    monkeypatch.setattr(record, "fingerprint", lambda module: taken.setdefault(module, now[0]))

    def trial(seed, settings, tuned):
        now[0] = "after"
        return small_trial(seed, settings, tuned)

    one = replace(SMALL, trial=trial)
    monkeypatch.setattr(running, "experiment", lambda _: one)
    monkeypatch.setattr(running, "ProcessPoolExecutor", lambda jobs, mp_context: ThreadPoolExecutor(jobs))
    (path,) = running.run(["learning_rate"], folder=tmp_path)
    assert json.loads(path.read_text())["fingerprint"] == "before"


# --- arms


@pytest.mark.parametrize("name", ["digits", "digits1d"])
def test_a_split_is_disjoint_and_whole(name):
    count = len(arms.whole(name)[0])
    parts = arms.data(name, 3)
    sizes = [len(part.x) for part in (parts.train, parts.validation, parts.test)]
    assert sum(sizes) == count
    assert [round(size / count, 2) for size in sizes] == [0.6, 0.2, 0.2]
    labels = np.concatenate([part.labels for part in (parts.train, parts.validation, parts.test)])
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(arms.whole(name)[1]))
    indices = arms.split(count, 3)
    assert sorted(np.concatenate(indices)) == list(range(count))
    assert parts.features == parts.train.x.shape[1]


def test_a_seed_is_a_split():
    first, again, other = (arms.data("digits", seed).test.labels for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_two_arms_start_from_the_same_weights():
    plain, normalized = (arms.mlp((6, 5, 4, 3), np.random.default_rng(0), norm=norm) for norm in (None, BatchNorm))
    weights = [[one.weight for one in net.layers if isinstance(one, Linear)] for net in (plain, normalized)]
    assert [one.shape for one in weights[0]] == [(5, 6), (4, 5), (3, 4)]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert sum(isinstance(one, BatchNorm) for one in normalized.layers) == 2


def test_the_grid_is_half_octaves():
    grid = arms.half_octaves(-2, 3)
    assert (grid[0], grid[-1], len(grid)) == (0.25, 8.0, 11)
    np.testing.assert_allclose([b / a for a, b in pairwise(grid)], 2**0.5)


@pytest.mark.parametrize("best", range(1, 10))
def test_the_best_rate_is_found_wherever_it_lies_inside(best):
    grid = arms.half_octaves(-2, 3)
    asked = []

    def score(rate, seed):
        asked.append((rate, seed))
        return -abs(np.log2(rate / grid[best])) + (seed - 1.5) * np.log2(rate)  # the seeds pull to either side

    found = arms.tuned(score, grid, seeds=iter((1, 2)))
    assert found.rate == grid[best]
    assert len(found.scores) <= len(grid[::2]) + 2  # every octave, and the steps beside the best
    assert len(asked) == len(set(asked)) == 2 * len(found.scores)  # every rate once on each seed
    assert {rate for rate, _ in asked} >= set(grid[::2])
    assert found.plain()["scores"] == [[rate, found.scores[rate]] for rate in sorted(found.scores)]


@pytest.mark.parametrize("score", [lambda rate, seed: rate, lambda rate, seed: -rate, lambda rate, seed: -np.inf])
def test_an_optimum_at_the_edge_is_refused(score):
    with pytest.raises(ValueError, match=r"at the edge of the grid 0\.25 to 8: extend it"):
        arms.tuned(score, arms.half_octaves(-2, 3))


def test_tuning_seeds_are_no_trials():
    assert min(arms.TUNING_SEEDS) > max(one.seeds for one in evidence.experiments())


# --- experiments by name


def test_an_unknown_experiment_is_told_what_there_is():
    with pytest.raises(KeyError, match=r"no experiment is called 'magic'; there are learning_rate, .*panacea"):
        evidence.experiment("magic")


def test_every_experiment_declares_what_it_must():
    everything = evidence.experiments()
    assert [one.name for one in everything] == list(evidence.NAMES)
    for one in everything:
        primary = one.primary
        assert primary.settings
        assert primary.smallest > (1 if primary.scale is Scale.RATIO else 0)
        assert one.claim.endswith(".")
        assert one.prediction.endswith(".")
        assert one.page.startswith("evidence/")
        assert one.seeds >= 6
    assert len({one.page for one in everything}) == len(everything)


# --- the table


def fresh(one, effects=(1.0, 1.1, 1.2)):
    """A result as if of today's code, with these effects in every setting."""
    trials = tuple({"effects": dict.fromkeys(one.primary.settings, value)} for value in effects)
    code = record.fingerprint(one.trial.__module__)
    return record.Result(one.name, code, (0, 1, 2), {}, None, trials, {"tuning": 1.5, "trials": 2.0}, {}, {})


@pytest.fixture
def folder(tmp_path):
    for one in evidence.experiments():
        record.save(fresh(one), tmp_path)
    return tmp_path


def test_the_table_has_a_row_for_each_setting(folder):
    every = table.judge(evidence.experiments(), folder)
    found = table.rows(every)
    assert [row[1] for row in found] == [name for one in every for name in one.experiment.primary.settings]
    assert [row[0] for row in found if row[0]] == [one.experiment.title for one in every]
    assert [row[6] for row in found if row[6]] == [one.verdict.word for one in every]
    printed = table.text(every).splitlines()
    assert len(printed) == 2 + len(found) + 2
    assert printed[-1] == f"All full runs: {3.5 * len(every):.0f} s of CPU."
    assert {len(row) for row in found} == {len(table.HEADS)}


def test_the_book_judges_all_experiments_together(folder, monkeypatch):
    monkeypatch.setattr(table, "load", lambda one, _: record.load(one, folder))
    table.judged.cache_clear()
    try:
        assert [one.experiment.name for one in table.judged()] == list(evidence.NAMES)
        assert table.verdict_on("panacea") == table.judged()[-1]
    finally:
        table.judged.cache_clear()


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (-0.0, "0"), (1234.5, "1230"), (-12.345, "-12.3"), (0.001, "0.001"), (1e-7, "1e-07"), (3e6, "3e+06")],
)
def test_three_digits(value, shown):
    assert table.three_digits(value) == shown


def test_an_interval_is_shown_in_its_unit():
    finding = verdicts.Finding("s", effect(-0.5, 1.5), 1.0, "open")
    assert table.interval(SMALL.primary, finding) == "+0.5 points [-0.5, +1.5]"
    ratio = verdicts.Finding("s", effect(np.log(2.0), np.log(8.0)), 1.0, "yes")
    assert table.interval(Primary("q", Scale.RATIO, 1.5, ("s",)), ratio) == "4× [2, 8]"


def test_a_small_p_is_not_shown_as_zero(tmp_path):
    record.save(fresh(SMALL, (3.0, 3.0001, 3.0002)), tmp_path)
    row = table.rows(table.judge([SMALL], tmp_path))[0]
    assert row[3:7] == ("+0.5 points", "< 0.001", "yes", "holds")


# --- the command line


def command(capsys, *arguments):
    code = cli.main(["evidence", *map(str, arguments)])
    return code, *capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "magic"], "no experiment is called magic; there are learning_rate, "),
        (["run", "learning_rate", "magic", "more"], "no experiment is called magic, more; there are"),
        (["run", "learning_rate", "--seeds", "1"], "an interval needs --seeds 2 or more"),
        (["run", "learning_rate", "--jobs", "0"], "--jobs is 1 or more"),
        (["run", "learning_rate", "--into", "nowhere"], "there is no folder nowhere"),
        (["table", "--from", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(capsys, monkeypatch, tmp_path, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    code, printed, errors = command(capsys, *arguments)
    assert (code, printed) == (2, "")
    assert errors.startswith("bncourse: ")
    assert sentence in errors
    assert len(errors.splitlines()) == 1


def test_a_run_says_what_it_kept(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(running, "run", lambda names, **options: [options["folder"] / f"{name}.json" for name in names])
    code, printed, _ = command(capsys, "run", "panacea", "inference", "--into", tmp_path)
    assert code == 0
    assert printed.splitlines() == [f"kept {tmp_path / 'panacea.json'}", f"kept {tmp_path / 'inference.json'}"]


def test_without_names_all_are_run_where_the_book_reads_them(capsys, monkeypatch):
    asked = []
    monkeypatch.setattr(running, "run", lambda names, **options: asked.append((names, options)) or [])
    assert command(capsys, "run", "--seeds", "3", "--jobs", "2")[0] == 0
    assert asked == [(evidence.NAMES, {"seeds": 3, "jobs": 2, "folder": record.RESULTS})]


@pytest.mark.parametrize(
    ("raised", "code", "sentence"),
    [
        (ValueError("the best rate 8 is at the edge"), 1, "the best rate 8 is at the edge"),
        (KeyboardInterrupt(), 2, "stopped; experiments that were whole are kept"),
    ],
)
def test_a_run_that_ends_early_says_why(capsys, monkeypatch, raised, code, sentence):
    def run(names, **options):
        raise raised

    monkeypatch.setattr(running, "run", run)
    assert command(capsys, "run", "panacea") == (code, "", f"bncourse: {sentence}\n")


def test_the_table_is_printed(capsys, folder):
    code, printed, errors = command(capsys, "table", "--from", folder)
    assert (code, errors) == (0, "")
    assert printed == f"{table.text(table.judge(evidence.experiments(), folder))}\n"


def test_a_missing_result_is_wrong_and_the_others_are_printed(capsys, folder):
    (folder / "panacea.json").unlink()
    code, printed, errors = command(capsys, "table", "--from", folder)
    assert code == 1
    assert errors == "bncourse: panacea has no result yet: run `bncourse evidence run panacea`\n"
    others = [one for one in evidence.experiments() if one.name != "panacea"]
    assert all(one.title in printed for one in others)
    assert len(printed.splitlines()) == 4 + sum(len(one.primary.settings) for one in others)


def test_without_any_result_there_is_no_table(capsys, tmp_path):
    code, printed, errors = command(capsys, "table", "--from", tmp_path)
    assert (code, printed) == (1, "")
    assert len(errors.splitlines()) == len(evidence.NAMES)


@pytest.mark.parametrize("action", ["run", "table"])
def test_without_the_extra_it_says_what_to_install(capsys, monkeypatch, action):
    for name in ("record", "running", "table"):
        monkeypatch.delattr(evidence, name)
        monkeypatch.setitem(sys.modules, f"bncourse.evidence.{name}", None)
    code, printed, errors = command(capsys, action)
    assert (code, printed) == (2, "")
    assert errors.endswith("is missing: pip install 'bncourse[evidence]'\n")


# --- the kept results


def assert_repeats(again, kept, where=""):
    """Equal up to rounding, number by number; measured times are of the day."""
    if isinstance(kept, dict):
        assert set(again) == set(kept), where
        for key, value in kept.items():
            if key != "seconds":
                assert_repeats(again[key], value, f"{where}.{key}")
    elif isinstance(kept, list):
        assert len(again) == len(kept), where
        for place, (one, value) in enumerate(zip(again, kept, strict=True)):
            assert_repeats(one, value, f"{where}[{place}]")
    elif isinstance(kept, int | float) and isinstance(again, int | float):
        assert again == pytest.approx(kept, rel=1e-6, abs=1e-9), where
    else:
        assert again == kept, where


def test_repeating_is_judged_number_by_number():
    kept = {"a": [1.0, "inf", None], "seconds": 3.0}
    assert_repeats({"a": [1.0 + 1e-8, "inf", None], "seconds": 4.0}, kept)
    for other in ({"a": [1.0 + 1e-5, "inf", None]}, {"a": [1.0, 7.0, None]}, {"a": [1.0, "inf"]}, {"b": kept["a"]}):
        with pytest.raises(AssertionError):
            assert_repeats(other | {"seconds": 3.0}, kept)


@pytest.mark.parametrize("name", evidence.NAMES)
def test_reduced_run_is_repeated(name):
    one = evidence.experiment(name)
    kept = record.load(one, stale=True).reduced
    assert_repeats(json.loads(json.dumps(record.reduced_run(one)[0])), kept)


@pytest.mark.parametrize("name", evidence.NAMES)
def test_every_result_is_of_todays_code(name):
    one = evidence.experiment(name)
    kept = record.load(one)
    assert kept.settings == record.plain(kept.settings)
    assert set(kept.effects) == set(one.primary.settings)


@pytest.mark.parametrize("name", evidence.NAMES)
def test_no_result_was_picked(name):
    """As many trials as the experiment declares, from the first seed on, none left out, none run twice."""
    one = evidence.experiment(name)
    kept = record.load(one, stale=True)
    assert kept.seeds == tuple(range(one.seeds))
    assert len(kept.trials) == one.seeds
    assert len({json.dumps(trial, sort_keys=True) for trial in kept.trials}) == one.seeds
    assert kept.reduced["seeds"] == list(record.REDUCED_SEEDS)


def test_results_are_small_and_none_lies_about():
    files = {path.name: path.stat().st_size for path in record.RESULTS.iterdir()}
    assert set(files) == {f"{name}.json" for name in evidence.NAMES}
    assert max(files.values()) < 80_000


def test_the_runs_were_affordable():
    """By the files' own word: CPU seconds of tuning and trials, at most 45 each and 540 together."""
    kept = [record.load(one, stale=True).seconds for one in evidence.experiments()]
    spent = [one["tuning"] + one["trials"] for one in kept]
    assert max(spent) <= 45
    assert sum(spent) <= 540
