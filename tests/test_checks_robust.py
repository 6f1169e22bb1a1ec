"""Whatever a student's function returns or does, `check` answers with a sentence."""

import random
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from bncourse import check, functional
from bncourse.checks import surroundings


def messages(report):
    return " ".join(result.message for result in report.properties)


def refused(name, function):
    """The report on a wrong function; everything that shows it works too."""
    report = check(name, function)
    assert not report.passed
    assert str(report)
    assert report._repr_html_()
    assert report.to_dict()["passed"] is False
    return report


class Lying(np.ndarray):
    """Says it agrees with everything."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return np.zeros(3)

    def __array_function__(self, func, types, args, kwargs):
        return True

    def __sub__(self, other):
        return np.zeros(3)

    @property
    def shape(self):
        return (3,)

    __hash__ = None


class Pretender:
    """Claims to be an array."""

    __class__ = np.ndarray

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("caught you looking")


class HostileError(Exception):
    def __str__(self):
        raise SystemExit("even my message bites")


def ragged(x):
    return [[1.0, 2.0], [3.0]]


def generator(x):
    yield 1.0


def endless_recursion(x):
    return endless_recursion(x)


RETURNED = {
    "None": (lambda x: None, "returned None: is its return statement missing?"),
    "a string": (lambda x: "3.0", "returned a str, expected an array of numbers"),
    "a list of strings": (lambda x: ["1", "2", "3"], "expected an array of numbers"),
    "ragged": (ragged, "a list whose rows differ in length"),
    "an object array": (lambda x: np.array([1, None, "a"], dtype=object), "an array of object with shape (3,)"),
    "booleans": (lambda x: x.mean(axis=0) > 0, "an array of bool"),
    "complex": (lambda x: x.mean(axis=0) + 0j, "complex numbers, expected real ones"),
    "NaN": (lambda x: x.mean(axis=0) * np.nan, "mean[0] is nan, expected"),
    "infinity": (lambda x: x.mean(axis=0) + np.inf, "mean[0] is inf, expected"),
    "a scalar": (lambda x: 3.0, "mean has shape (), expected (3,)"),
    "a tuple of two": (lambda x: (x.mean(axis=0), 1), "returned a tuple of 2, expected an array"),
    "a dict": (lambda x: {"mean": x.mean(axis=0)}, "returned a dict, expected"),
    "a set": (lambda x: {1.0}, "returned a set, expected"),
    "a function": (lambda x: np.mean, "expected an array of numbers"),
    "a class": (lambda x: int, "expected an array of numbers"),
    "a generator": (generator, "returned a generator, expected"),
    "a module": (lambda x: np, "returned a module"),
    "too much": (lambda x: np.broadcast_to(1.0, (10**6, 10**6)), "far larger than what was asked for"),
    "a dtype with fields": (lambda x: np.zeros(3, dtype=[("a", float)]), "expected an array of numbers"),
    "dates": (lambda x: np.zeros(3, dtype="datetime64[s]"), "expected an array of numbers"),
    "a lying subclass": (lambda x: x.max(axis=0).view(Lying), "mean["),
    "a lying shape": (lambda x: np.zeros((2, 2)).view(Lying), "mean has shape (2, 2), expected (3,)"),
    "a pretender": (lambda x: Pretender(), "raised RuntimeError: caught you looking"),
}

RAISED = {
    "an exception": (lambda x: 1 / 0, "raised ZeroDivisionError: division by zero, in the line `"),
    "SystemExit": (lambda x: sys.exit("bye"), "raised SystemExit: bye"),
    "too few arguments": (lambda: 1, "raised TypeError"),
    "too many arguments": (lambda x, y: 1, "raised TypeError"),
    "recursion": (endless_recursion, "raised RecursionError"),
    "not written": (lambda x: (_ for _ in ()).throw(NotImplementedError), "batch_mean is not written yet"),
    "a hostile message": (lambda x: (_ for _ in ()).throw(HostileError), "raised HostileError"),
    "a base exception": (lambda x: (_ for _ in ()).throw(GeneratorExit), "raised GeneratorExit"),
    "no memory": (lambda x: np.zeros(10**15), "MemoryError"),
}


@pytest.mark.parametrize(("function", "sentence"), (RETURNED | RAISED).values(), ids=RETURNED | RAISED)
def test_it_becomes_a_sentence(function, sentence):
    report = refused("batch_mean", function)
    assert sentence in messages(report)
    assert report.points <= 1  # the shape may be right
    assert report.misconceptions == []


@pytest.mark.parametrize("thing", [None, 3, "batch_mean", [1], np.zeros(3)], ids=str)
def test_what_is_not_a_function_is_said_to_be_none(thing):
    assert "batch_mean is not a function but a" in messages(refused("batch_mean", thing))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda y: y, "returned y alone, expected 2 values: (y, cache)"),
        (lambda y: list(y), "returned more values, expected 2 values: (y, cache)"),
        (lambda y: (y,), "returned 1 value, expected 2 values: (y, cache)"),
        (lambda y: (y, 1, 2), "returned more values, expected 2 values: (y, cache)"),
        (lambda y: (None, 1), "y from batchnorm_forward is None"),
        (lambda y: {"y": y, "cache": 1}, "returned a dict, expected 2 values: (y, cache)"),
        (lambda y: ("y", 1), "y from batchnorm_forward is a str"),
        (lambda y: (y.T, 1), "y has shape (3, 7), expected (7, 3)"),
        (lambda y: "yc", "returned a str, expected 2 values"),
    ],
)
def test_a_pair_in_the_wrong_form_becomes_a_sentence(answer, sentence):
    def forward(x, gamma, beta, eps=1e-5):
        return answer(gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta)

    assert sentence in messages(refused("batchnorm_forward", forward))


def test_any_cache_will_do():
    for cache in (None, 3, {"a": object()}, [ragged], Pretender(), (n for n in "abc"), np.zeros(3).view(Lying)):

        def forward(x, gamma, beta, eps=1e-5, cache=cache):
            return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta, cache

        assert check("batchnorm_forward", forward).passed


@pytest.mark.skipif(sys.platform in ("emscripten", "win32"), reason="no alarm here: the page stops its worker")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no alarm on this system")
class TestTime:
    @pytest.fixture(autouse=True)
    def short(self, monkeypatch):
        monkeypatch.setattr(surroundings, "TIME_LIMIT", 0.2)

    def test_an_endless_loop_becomes_a_sentence_and_the_rest_is_not_reached(self):
        def loop(x):
            while True:
                pass

        started = time.monotonic()
        report = refused("batch_mean", loop)
        assert time.monotonic() - started < 5
        assert [result.message for result in report.properties] == [
            "batch_mean did not finish within 0.2 seconds: is there a loop that never ends?",
            *["Not reached."] * 3,
        ]
        assert report.witness is None

    def test_a_loop_that_catches_exceptions_ends_too(self):
        caught = []

        def loop(x):
            while len(caught) < 2:
                try:
                    while True:
                        pass
                except:  # noqa: E722 - what some students write
                    caught.append(1)
            return x.mean(axis=0)

        refused_or_right = check("batch_mean", loop)
        assert refused_or_right.properties
        assert len(caught) == 2

    def test_a_loop_only_in_the_diagnosis_leaves_it_unnamed(self):
        calls = []

        def loop(x):
            calls.append(1)
            while len(calls) > 6:
                pass
            return x.sum(axis=0)

        report = check("batch_mean", loop)
        assert not report.passed
        assert report.misconceptions == []
        assert report.witness is None

    def test_an_alarm_that_was_set_before_is_set_again(self):
        rung = []
        before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
        signal.setitimer(signal.ITIMER_REAL, 60)
        try:
            assert check("batch_mean", lambda x: x.mean(axis=0)).passed
            assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(sys.platform == "emscripten", reason="the browser starts no threads")
def test_it_works_in_a_thread_where_no_alarm_can_ring():
    reports = []
    thread = threading.Thread(target=lambda: reports.append(check("batch_mean", lambda x: x.mean(axis=0))))
    thread.start()
    thread.join()
    assert reports[0].passed


def test_printing_megabytes_reaches_nobody(capsys):
    def loud(x):
        print("x" * 5_000_000)
        print("to stderr", file=sys.stderr)
        sys.stdout.writelines(["a", "b"])
        sys.stdout.flush()
        assert sys.stdout.writable()
        return x.mean(axis=0)

    assert check("batch_mean", loud).passed
    assert capsys.readouterr() == ("", "")


def test_a_warning_in_a_right_answer_costs_nothing_and_reaches_nobody(capsys):
    def warns(x):
        warnings.warn("careful", stacklevel=1)
        np.array([1.0]) / np.array([0.0])
        return x.mean(axis=0)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert check("batch_mean", warns).passed
    assert capsys.readouterr().err == ""


def test_global_state_is_as_it_was():
    def careless(x):
        np.seterr(all="raise")
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        np.set_printoptions(precision=1, threshold=2)
        sys.setrecursionlimit(5000)
        warnings.simplefilter("error")
        warnings.filterwarnings("error", message="x")
        return x.mean(axis=0) + 1

    before = np.geterr(), np.get_printoptions(), sys.getrecursionlimit(), list(warnings.filters)
    states = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    report = check("batch_mean", careless)
    assert not report.passed
    assert "yours" in str(report)
    assert (np.geterr(), np.get_printoptions(), sys.getrecursionlimit(), list(warnings.filters)) == before
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002


def test_a_students_strict_error_state_does_not_make_a_right_answer_wrong():
    with np.errstate(all="raise"):
        assert check("batchnorm_forward", functional.batchnorm_forward).passed


@pytest.mark.parametrize("how", ["reshape", "write", "sort"])
def test_a_changed_input_is_told_and_costs_a_little(how):
    def changes(x, gamma, beta, eps=1e-5):
        y = gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta
        if how == "reshape":
            x.resize((x.size, 1), refcheck=False)
        elif how == "write":
            gamma[0] = 7.0
        else:
            x[::-1].sort(axis=0)
        return y, None

    report = refused("batchnorm_forward", changes)
    assert report.points == report.max_points - 1
    assert report.misconceptions == ["changes_its_input"]
    changed = "gamma" if how == "write" else "x"
    assert f"{changed} is not what it was before the call" in messages(report)
    assert "changed on the way" in report.witness.sentence


def test_an_answer_that_changes_from_call_to_call_is_refused():
    calls = []

    def moody(x):
        calls.append(1)
        return x.mean(axis=0) + (len(calls) % 3 == 0)

    assert not check("batch_mean", moody).passed


def test_ctrl_c_is_not_swallowed():
    def interrupted(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("batch_mean", interrupted)


def test_a_callable_object_is_as_good_as_a_function():
    class Mean:
        def __call__(self, x):
            return x.mean(axis=0)

        def __getattr__(self, name):
            raise RuntimeError(name)

    class Broken(Mean):
        def __call__(self, x):
            raise ValueError("inside")

    assert check("batch_mean", Mean()).passed
    assert "raised ValueError: inside" in messages(refused("batch_mean", Broken()))


def test_an_exception_class_without_a_name_is_still_a_sentence():
    class Nameless(type):
        @property
        def __name__(cls):
            raise ValueError

    class Odd(Exception, metaclass=Nameless):
        pass

    def odd(x):
        raise Odd

    assert "raised an exception" in messages(refused("batch_mean", odd))


def test_what_is_left_in_memory_is_not_right_by_luck():
    def forgets_to_fill(x):
        mean = np.empty(x.shape[1])
        if len(x) > 1_000_000:
            mean[:] = x.mean(axis=0)
        return mean

    check("batch_mean", lambda x: x.mean(axis=0))
    assert not check("batch_mean", forgets_to_fill).passed
