"""Every displayed equation of the book holds, as it stands on its page."""

import random
from functools import cache

import pytest
from derivations.mutation import Trial, known_reasons
from derivations.pages import read_book, read_page
from derivations.pinned import PINNED, agrees_with_code
from derivations.prove import CHECKED, PROVED, prove, read_entries
from derivations.steps import ALGEBRA, LIMITS
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

PAGES = read_book()
ENTRIES = read_entries(PAGES)
LABELS = [entry.equation.label for entry in ENTRIES]
BY_LABEL = {entry.equation.label: entry for entry in ENTRIES}
SAMPLE = 150  # of some 2,500 mutants, which `make mutate-equations` tries in full


@cache
def verdict_on(label):
    return prove(BY_LABEL[label])


@pytest.fixture(scope="module")
def trial():
    return Trial(ENTRIES, lambda entry: verdict_on(entry.equation.label))


@pytest.mark.parametrize("label", LABELS)
def test_equation(label):
    verdict, equation = verdict_on(label), BY_LABEL[label].equation
    assert verdict.holds, f"{equation.page}:{equation.line}: {label}: {verdict.reason}"


@pytest.mark.parametrize("label", PINNED)
def test_definition_is_what_the_code_computes(label):
    agrees_with_code(BY_LABEL[label])


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.equation.kind == "approx"], ids=lambda e: e.equation.label)
def test_approximation_is_measured_on_its_page(entry):
    page = next(page for page in PAGES if page.name == entry.equation.page)
    assert entry.equation.label in page.code, f"no code cell of {page.name} measures {entry.equation.label}"


def test_no_label_is_used_twice():
    twice = {
        label: [e.equation.page for e in ENTRIES if e.equation.label == label]
        for label in LABELS
        if LABELS.count(label) > 1
    }
    assert not twice


def test_no_displayed_equation_is_skipped():
    assert not [problem for page in PAGES for problem in page.problems]


def test_the_builder_sees_the_same_equations():
    """Our reading of the Markdown against the parser that the book is built with."""
    for page in PAGES:
        assert sorted(_labels_as_built(page.text)) == sorted(equation.label for equation in page.equations), page.name


def _labels_as_built(text):
    parser = MarkdownIt("commonmark").use(dollarmath_plugin).use(colon_fence_plugin).use(front_matter_plugin)
    labels, texts = [], [text]
    while texts:
        for token in parser.parse(texts.pop()):
            children = [token, *(token.children or [])]
            labels += [
                child.info for child in children if child.type in ("math_block_label", "math_inline_double_label")
            ]
            directive = token.info.strip()
            if (
                token.type in ("fence", "colon_fence")
                and directive.startswith("{")
                and not directive.startswith("{code-cell")
            ):
                texts.append(token.content)
    return labels


def test_tables_name_equations_that_exist():
    for table in (PINNED, ALGEBRA, LIMITS, {label for label, _ in known_reasons()}):
        assert set(table) <= set(LABELS)


def test_the_identities_of_the_part_are_proved_for_every_n():
    """The part rests on these; a check at a few N would be too little."""
    for label in (
        "eq-centred-sum",
        "eq-variance-shortcut",
        "eq-x-hat-sum",
        "eq-x-hat-squares",
        "eq-output-mean",
        "eq-output-variance",
    ):
        assert verdict_on(label).status == PROVED, verdict_on(label)


def test_report():
    """How far each verdict reaches (shown by `pytest tests/test_derivations.py -k report -s`)."""
    verdicts = [verdict_on(label) for label in LABELS]
    lines = [f"{v.label:34}{v.status:28}{v.reason}" for v in verdicts]
    print("\n".join(lines))
    reasonless = [v.label for v in verdicts if v.status == CHECKED and not v.reason]
    assert not reasonless


def test_a_sign_changed_on_the_page_turns_it_red():
    """From the Markdown to the verdict, nothing in between is a copy."""
    definition = BY_LABEL["def-s"].equation
    number = next(n for n, page in enumerate(PAGES) if page.name == definition.page)
    before, after = PAGES[number].text[: definition.start], PAGES[number].text[definition.start :]
    changed = read_page(before + after.replace("+", "-", 1), definition.page)
    entries = read_entries([*PAGES[:number], changed, *PAGES[number + 1 :]])
    verdict = next(prove(entry) for entry in entries if entry.equation.label == "eq-x-hat-squares")
    assert verdict.status == "does not hold"


def test_slips_of_the_pen_are_noticed(trial):
    """A seeded sample of the mutants; survivors are those whose reason is on file."""
    reasons = known_reasons()
    tried = random.Random(0).sample(trial.mutants(), SAMPLE)
    unnoticed = [o for o in (trial.judge(entry, mutant) for entry, mutant in tried) if o.killed_by is None]
    assert not [o.key for o in unnoticed if o.key not in reasons]
    assert len(unnoticed) <= 0.05 * SAMPLE


def test_every_survivor_on_file_survives_today(trial):
    now = {(entry.equation.label, mutant.change): (entry, mutant) for entry, mutant in trial.mutants()}
    for key, reason in known_reasons().items():
        assert len(reason) > 15, f"{key} has no reason"
        assert key in now, f"{key[0]} has no such mutant any more: {key[1]}"
        assert trial.judge(*now[key]).killed_by is None, f"noticed by now: {key}"
