"""What the report says, and how it looks in a terminal, in a notebook and to a machine."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import bncourse
from bncourse import check
from bncourse.checks import Report, book
from bncourse.checks.assignments import EXERCISES
from bncourse.checks.calling import Signature
from bncourse.checks.exercise import Exercise
from bncourse.checks.report import SCHEMA, Result, plain


def eps_outside(x, mean, var, eps=1e-5):
    return (x - mean) / (np.sqrt(var) + eps)


@pytest.fixture
def wrong():
    return check("normalize", eps_outside, seed=5)


@pytest.fixture
def right():
    return check("batch_mean", lambda x: x.mean(axis=0), seed=5)


def test_a_right_answer_gets_a_short_report(right):
    assert right
    assert (right.points, right.max_points, right.misconceptions, right.seed) == (8, 8, [], 5)
    text = str(right)
    assert text.startswith("batch_mean: right, 8 of 8 points")
    assert "✗" not in text
    assert "seed" not in text
    assert len(text.splitlines()) == 5


def test_a_wrong_answer_is_told_what_holds_what_fails_and_why(wrong):
    assert not wrong
    text = str(wrong)
    assert repr(wrong) == text
    assert "normalize: not right yet, 13 of 16 points" in text
    assert "✓ divides by the standard deviation" in text
    assert "✗ adds the eps it was given to the variance, under the root  [0/2]" in text
    assert re.search(r"x_hat\[\d, \d\] is \S+, expected \S+, for x of shape \(7, 3\)\s+and eps = 0.1", text)
    assert "Mistake: eps_outside_the_root" in text
    assert "You add eps to the standard deviation. It belongs beside the variance" in text
    assert "book: forward/normalize#normalize-eps" in text
    assert "x = [[1.]]" in text
    assert "x_hat = [[0.25]]" in text
    assert "The first step that differs is std: the root of var + eps" in text
    assert "seed=5 as the last argument of check repeats this report" in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_same_trouble_is_told_once():
    text = str(check("batch_mean", lambda x: None))
    assert text.count("returned None") == 2  # at the first property, and below the smallest input


def test_the_seed_repeats_the_report(wrong):
    again = check("normalize", eps_outside, seed=wrong.seed)
    assert str(again) == str(wrong)
    assert again.to_dict() == wrong.to_dict()


def test_without_a_seed_the_numbers_are_fresh():
    reports = [check("normalize", eps_outside) for _ in range(3)]
    assert len({report.seed for report in reports}) == 3
    assert len({report.properties[3].message for report in reports}) == 3
    assert str(check("normalize", eps_outside, seed=reports[0].seed)) == str(reports[0])


def test_every_property_draws_for_itself_so_that_one_more_changes_no_other():
    from bncourse.checks.draw import Draw

    assert np.array_equal(Draw(1, "one").batch(3, 2), Draw(1, "one").batch(3, 2))
    assert not np.array_equal(Draw(1, "one").batch(3, 2), Draw(1, "other").batch(3, 2))


def test_the_dictionary_is_plain_json_with_a_version(wrong):
    data = json.loads(json.dumps(wrong.to_dict(), allow_nan=False))
    assert data["schema"] == 2
    assert data["exercise"] == "normalize"
    assert (data["points"], data["max_points"], data["passed"], data["seed"]) == (13, 16, False, 5)
    assert [p["name"] for p in data["properties"]] == [p.name for p in wrong.properties]
    assert data["misconceptions"] == [
        {
            "identifier": "eps_outside_the_root",
            "kind": "error",
            "sentence": wrong.diagnoses[0].sentence,
            "section": "forward/normalize#normalize-eps",
            "link": "",
        }
    ]
    assert data["notes"] == []
    assert data["witness"]["inputs"] == {"x": [[1.0]], "mean": [0.0], "var": [1.0], "eps": 3.0}
    assert data["witness"]["expected"] == {"x_hat": [[0.5]]}
    assert data["witness"]["actual"] == {"x_hat": [[0.25]]}
    assert data["witness"]["step"] == {
        "name": "std",
        "words": "the root of var + eps",
        "expected": [2.0],
        "actual": [4.0],
    }


def test_every_report_keeps_to_the_published_format():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((Path(bncourse.__file__).parent / "checks" / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"]["schema"]["const"] == SCHEMA
    for exercise in EXERCISES.values():
        answers = [exercise.reference, exercise.bank(None)]
        one_of_each_kind = {entry.kind: entry for entry in exercise.misconceptions}.values()
        answers += [exercise.bank(entry.implementations[0]) for entry in one_of_each_kind]
        for functions in answers:
            data = json.loads(json.dumps(check(exercise.name, *functions, seed=1).to_dict(), allow_nan=False))
            jsonschema.validate(data, schema)


def test_nan_in_an_answer_is_text_in_json():
    data = check("batch_mean", lambda x: x.mean(axis=0) * np.nan).to_dict()
    assert json.loads(json.dumps(data, allow_nan=False))["witness"]["actual"] == {"mean": ["nan"]}
    assert plain(np.array([1.0, np.inf])) == [1.0, "inf"]


class TestNotebook:
    def test_text_plain_is_the_number_that_nbgrader_reads(self, wrong, right):
        assert wrong._repr_mimebundle_()["text/plain"] == "13.0"
        assert right._repr_mimebundle_()["text/plain"] == "8.0"
        assert check("batch_mean", None)._repr_mimebundle_()["text/plain"] == "0.0"

    def test_the_points_are_rounded_and_never_above_those_of_the_cell(self):
        thirds = tuple(Result(str(n), "", True, 0.1 + 0.2, 0.3, "") for n in range(3))
        report = Report("x", thirds, (), (), 1, lambda: None, lambda report, grade: None)
        assert report._repr_mimebundle_()["text/plain"] == "0.9"
        assert report.points <= report.max_points

    def test_the_card_is_what_ipython_shows(self, wrong):
        formatters = pytest.importorskip("IPython.core.formatters")
        data, _ = formatters.DisplayFormatter().format(wrong)
        assert data["text/plain"] == "13.0"
        assert data["text/html"] == wrong._repr_html_()

    def test_the_card_is_readable_by_ear(self, wrong):
        card = Elements(wrong._repr_html_())
        assert card.tags.count("section") == 1
        assert ("section", "aria-label", "normalize: not right yet, 13 of 16 points") in card.attributes
        assert card.tags.index("h4") < card.tags.index("ul") < card.tags.index("h5") < card.tags.index("table")
        assert card.tags.count("li") == len(wrong.properties)
        assert "fails:" in card.text
        assert "holds:" in card.text
        assert card.text.count("aria-hidden") == 0
        assert [a for a in card.attributes if a[1] == "scope"] == [("th", "scope", "row")] * 5

    def test_the_card_asks_nothing_of_other_sites_and_takes_the_colours_around_it(self, wrong):
        html = wrong._repr_html_()
        assert not re.search(r"https?:|//|@import|url\(|<script", html)
        assert not re.search(r"#[0-9a-f]{3,6}\b|rgb|white|black", html.split("</style>")[0].replace("white-space", ""))

    def test_what_comes_from_the_student_is_escaped(self):
        def attack(x):
            raise ValueError("<script>alert(1)</script>\"'&")

        html = check("batch_mean", attack)._repr_html_()
        assert "<script>" not in html
        assert "&lt;script&gt;alert(1)" in html

    def test_every_element_is_closed(self, wrong, right):
        for report in (wrong, right, check("batch_mean", None)):
            assert Elements(report._repr_html_()).open == []


class Elements(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.open, self.text = [], [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def test_with_an_address_the_section_becomes_a_link(wrong, monkeypatch):
    monkeypatch.setenv("BNCOURSE_BOOK_URL", "https://example.org/bn/")
    address = "https://example.org/bn/forward/normalize.html#normalize-eps"
    assert address in str(wrong)
    assert f'<a href="{address}">' in wrong._repr_html_()
    assert wrong.to_dict()["misconceptions"][0]["link"] == address


def test_an_address_that_is_none_makes_no_link(monkeypatch):
    for nonsense in ("", "javascript:alert(1)", "example.org"):
        monkeypatch.setenv("BNCOURSE_BOOK_URL", nonsense)
        assert book.link("normalize-eps") == ""


class TestMisuse:
    def test_an_unknown_exercise_is_told_what_there_is(self):
        with pytest.raises(ValueError, match=r'no exercise "batchmean".*batch_mean, batch_variance, normalize'):
            check("batchmean", len)

    def test_a_forgotten_name_is_told_how_to_call(self):
        with pytest.raises(ValueError, match=r"takes the name of the exercise first: check\(\"batch_mean\""):
            check(len)

    @pytest.mark.parametrize("functions", [(), (len, len)])
    def test_a_wrong_number_of_functions_is_told_how_many(self, functions):
        with pytest.raises(ValueError, match=rf"takes one function after the name, but {len(functions)} came"):
            check("normalize", *functions)

    def test_several_functions_are_counted_in_words(self):
        from bncourse.checks.marking import counted

        assert counted(2) == "2 functions"

    def test_a_reference_that_fails_on_its_own_problem_is_our_mistake_not_the_students(self):
        from bncourse.checks.asking import truth

        broken = Exercise(
            Signature("broken", ("x",), ("y",), lambda x: None),
            problem=lambda draw, problem: (1,),
            scale=lambda arguments: {},
            smallest=(),
        )
        with pytest.raises(AssertionError, match="the reference failed on a drawn problem: broken returned None"):
            truth(broken, (np.zeros(2),))


def test_numbers_are_printed_with_the_digits_that_show_the_difference():
    from bncourse.checks.comparing import two_numbers

    assert two_numbers(1.0, 1.00001) == ("1", "1.00001")
    assert two_numbers(0.3333, 2.0) == ("0.3333", "2")
    assert two_numbers(float("nan"), float("nan")) == ("nan", "nan")


no_processes = pytest.mark.skipif(sys.platform == "emscripten", reason="the browser starts no processes")


def alone(code):
    """Run code in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


IMPORT = """
import sys
import numpy
before = set(sys.modules)
import bncourse
new = set(sys.modules) - before
print(sorted({n.split(".")[0] for n in new if "cython" not in n} - sys.stdlib_module_names - {"bncourse", "numpy"}))
print(sorted(n for n in new if n.startswith("bncourse.checks.") and n.count(".") > 2))
bncourse.check("batch_mean", lambda x: x.mean(axis=0))
print("bncourse.checks.variants" in sys.modules)
"""


@no_processes
def test_importing_brings_nothing_else_and_no_bank_before_it_is_asked_for():
    """How long it takes is measured by `make mutants`."""
    assert alone(IMPORT) == ["[]", "[]", "False"]


def test_what_is_not_written_has_no_witness():
    def unwritten(x):
        raise NotImplementedError

    report = check("batch_mean", unwritten)
    assert report.witness is None
    assert "The smallest input" not in str(report)


def test_a_mistake_that_shows_only_in_large_inputs_is_shown_on_the_smallest_of_these():
    report = check("batch_mean", lambda x: x.mean(axis=0) + (len(x) > 6))
    assert report.witness.inputs["x"].shape == (7, 1)
    assert np.array_equal(report.witness.inputs["x"], np.round(report.witness.inputs["x"]))


def test_when_no_small_input_shows_it_none_is_shown():
    calls = []

    def moody(x):
        calls.append(1)
        return x.mean(axis=0) + (len(calls) < 4)

    report = check("batch_mean", moody)
    assert not report.passed
    assert report.witness is None
    assert "No small input fails" in str(report.hint(3))


def test_a_mask_is_shown_as_it_is():
    report = check("batchnorm_masked", lambda x, mask, gamma, beta, eps=1e-5: gamma * x + beta, seed=1)
    assert "mask = [[ True,  True]]" in str(report)
    assert report.to_dict()["witness"]["inputs"]["mask"] == [[True, True]]


def test_a_sign_that_is_wrong_is_said():
    report = check("normalize", lambda x, mean, var, eps=1e-5: (mean - x) / np.sqrt(var + eps))
    assert "x_hat is not positive just where x is above the mean" in str(report)


def test_the_package_exports_what_students_need():
    assert set(bncourse.__all__) == {"__version__", "check", "gradcheck", "working"}
    assert bncourse.__version__
    assert callable(bncourse.gradcheck)
