"""The bundles of the transfer exercises keep the rules of the bank: what they name, they name rightly."""

import zlib
from pathlib import Path

import pytest

from bncourse import check
from bncourse.checks import book
from bncourse.checks.assignments import TRANSFERS
from bncourse.checks.transfer import VARIABLE, bundled

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions"
NAMES = [name for assignment, (name, _) in TRANSFERS.items() if (SOLUTIONS / assignment / "transfer").is_dir()]

pytestmark = pytest.mark.skipif(not SOLUTIONS.is_dir(), reason="the instructor's folder is not here")

each = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def with_the_bundles(monkeypatch):
    monkeypatch.setenv(VARIABLE, str(SOLUTIONS))


@each
def test_the_reference_and_its_steps_are_right_whatever_numbers_are_drawn(name):
    exercise = bundled(name)
    for seed in range(10):
        assert check(name, *exercise.reference, seed=seed).passed
        if exercise.chain:
            assert check(name, *exercise.bank(exercise.from_steps({})), seed=seed).passed


@each
def test_every_mistake_fails_is_named_as_itself_and_shown(name):
    exercise = bundled(name)
    for entry in exercise.misconceptions:
        assert entry.section in book.PAGES, entry.identifier
        for way, wrong in enumerate(entry.implementations):
            report = check(name, *exercise.bank(wrong), seed=zlib.crc32(f"{entry.identifier} {way}".encode()))
            assert report.points < report.max_points, entry.identifier
            assert report.misconceptions == [entry.identifier]
            assert report.witness is not None, entry.identifier


@each
def test_the_points_are_those_that_the_package_announces(name):
    assert bundled(name).points == dict(TRANSFERS.values())[name]
