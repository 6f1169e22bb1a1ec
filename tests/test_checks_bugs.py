"""The suspects of "find the bug" are wrong in the one line that the checker holds for wrong, and shown as they are."""

import ast
import inspect
import json
import textwrap
from pathlib import Path

import numpy as np
import pytest

from bncourse import check
from bncourse.checks.backward import suspects
from bncourse.checks.backward.bugs import BUGS, PROBLEMS, layer, right_gradients
from bncourse.checks.backward.suspects import SUSPECTS
from bncourse.checks.draw import Draw

ROOT = Path(__file__).parents[1]

MENDED = {
    "suspect_1": "dmean = np.sum(-dx_hat, axis=0) / np.sqrt(var + eps)",
    "suspect_2": "dsqrtvar = -divar / sqrtvar**2",
    "suspect_3": "dx = gamma / (N * np.sqrt(centred.var(axis=0) + eps)) * inner",
    "suspect_4": "dgamma = np.einsum('nd,nd->d', dy, x_hat)",
    "suspect_5": "shift = dx_hat.mean(axis=0, keepdims=True)",
}

each = pytest.mark.parametrize(("suspect", "line", "last"), SUSPECTS, ids=lambda one: getattr(one, "__name__", ""))


def numbered(suspect):
    """The lines of a suspect by their numbers."""
    lines = inspect.getsource(suspect).splitlines()
    return {int(text.rpartition("  # ")[2]): text for text in lines if "  # " in text}


def gradients(suspect, draw, problem):
    """What a suspect makes of a drawn dy, and what is right."""
    arguments = layer(draw, problem)
    dy = draw.random.standard_normal(arguments[0].shape) + 0.5
    return suspect(dy, *arguments), right_gradients(dy, *arguments)


@each
def test_the_lines_are_numbered_from_1_to_the_last(suspect, line, last):
    body = [text for text in inspect.getsource(suspect).splitlines()[1:] if '"""' not in text]
    assert list(numbered(suspect)) == list(range(1, last + 1))
    assert len(body) == last


@each
def test_a_suspect_is_wrong_and_right_again_when_that_line_is_mended(suspect, line, last):
    old = numbered(suspect)[line]
    mended = inspect.getsource(suspect).replace(old, f"    {MENDED[suspect.__name__]}")
    namespace = vars(suspects).copy()
    exec(textwrap.dedent(mended), namespace)
    for seed, problem in enumerate(PROBLEMS):
        wrong, right = gradients(suspect, Draw(seed, "wrong"), problem)
        assert not all(np.allclose(one, other) for one, other in zip(wrong, right, strict=True))
        again, right = gradients(namespace[suspect.__name__], Draw(seed, "mended"), problem)
        for one, other in zip(again, right, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@each
def test_every_other_line_is_said_to_be_right(suspect, line, last):
    name = suspect.__name__.replace("suspect", "bug")
    right = next(one for one in BUGS if one.name == name).reference[0]
    for other in {*range(last + 2), line + 0.5} - {line}:
        report = check(name, lambda x, gamma, eps, other=other: (other, *right(x, gamma, eps)[1:]), seed=1)
        assert report.points == 2
        said = report.properties[-1].message
        assert ("is right" if other in range(1, last + 1) else "There is no line") in said


def test_no_single_dy_hides_them_all_and_ones_hides_two():
    for name, expected in {"ones": {"bug_2", "bug_3"}, "x_hat": {"bug_1", "bug_5"}, "x": set()}.items():
        hidden = set()
        for bug in BUGS:

            def answer(x, gamma, eps, name=name):
                dy = {"ones": np.ones_like(x), "x_hat": x - x.mean(axis=0), "x": x}[name]
                return 1, x, dy

            if check(bug.name, answer, seed=2).properties[1].passed:
                hidden.add(bug.name)
        assert hidden == expected


def bugs_refused(answer):
    """What is said of an answer to bug_2."""
    return " ".join(one.message for one in check("bug_2", answer, seed=3).properties)


def test_what_is_no_test_is_told_apart():
    ones = np.ones_like
    assert "Of dy = 0 every backward makes 0" in bugs_refused(lambda x, gamma, eps: (11, x, 0 * x))
    assert "shows holds NaN" in bugs_refused(lambda x, gamma, eps: (11, x * np.nan, ones(x)))
    assert "hides holds NaN" in bugs_refused(lambda x, gamma, eps: (11, x, x * np.inf))
    assert "are the two exchanged" in bugs_refused(lambda x, gamma, eps: (11, ones(x), x))
    assert "gives the right gradients, or nearly" in bugs_refused(lambda x, gamma, eps: (11, ones(x), ones(x)))
    assert "hides the bug still shows" in bugs_refused(lambda x, gamma, eps: (11, x, x))
    assert "hides has shape (2, 7)" not in bugs_refused(lambda x, gamma, eps: (11, x, ones(x)))
    assert "shows has shape (3,), expected" in bugs_refused(lambda x, gamma, eps: (11, gamma, ones(x)))


def test_no_report_on_a_bug_gives_an_answer_away():
    report = check("bug_3", lambda x, gamma, eps: (3, x, x), seed=4)
    assert report.witness is None
    assert report.misconceptions == []
    assert all("7" not in result.message.split("for x of shape")[0] for result in report.properties)
    assert "Many answers are right" in str(report.hint(3))


def test_the_notebook_shows_the_suspects_as_they_are():
    notebook = json.loads((ROOT / "solutions/backward/backward.ipynb").read_text(encoding="utf-8"))
    shown = {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}
    for suspect, _, _ in SUSPECTS:
        text = shown[suspect.__name__.replace("_", "-")]
        assert [one for one in text.splitlines() if "  # " in one] == list(numbered(suspect).values())
        ours = ast.parse(inspect.getsource(suspect)).body[0]
        theirs = ast.parse(text).body[0]
        assert ast.dump(theirs.args) == ast.dump(without_annotations(ours.args))
        assert [ast.dump(one) for one in theirs.body] == [ast.dump(one) for one in ours.body]


def without_annotations(arguments):
    """The parameters, as a student writes them."""
    for one in arguments.args:
        one.annotation = None
    return arguments
