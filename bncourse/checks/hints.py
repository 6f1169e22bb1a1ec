"""What is the next step, for who asks?

In three grades, each saying more than the one before: a question, the place in the book, the step worked out in numbers
on the smallest input that fails. Never the code.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import book
from .exercise import Exercise

if TYPE_CHECKING:
    from .report import Report

GRADES = (1, 2, 3)


@dataclass(frozen=True)
class Worked:
    """One step in numbers."""

    name: str
    words: str
    value: Any


@dataclass(frozen=True)
class Hint:
    """A hint of one grade."""

    exercise: str
    grade: int
    sentence: str
    worked: tuple[Worked, ...] = ()

    def __str__(self) -> str:
        from .text import hint_text

        return hint_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from .card import hint_card

        return hint_card(self)


def hint(exercise: Exercise, report: "Report", grade: int) -> Hint:
    """The hint of this grade on the first thing that is not right."""
    if grade not in GRADES:
        raise ValueError(f"hint({grade!r}): there are three grades, 1 (a question), 2 (where to read), 3 (worked out)")
    if report.passed:
        return Hint(exercise.name, grade, "Everything holds: there is nothing to hint at.")
    first = next(result for result in report.properties if not result.passed)
    if grade == 1:
        return Hint(exercise.name, 1, nudge(exercise, report, first.name))
    if grade == 2:
        return Hint(exercise.name, 2, pointer(exercise, report, first.name))
    return worked_step(exercise, report)


def nudge(exercise: Exercise, report: "Report", name: str) -> str:
    """A question that sets thinking."""
    if report.notes:
        return report.notes[0]
    if report.witness is not None and report.witness.step is not None:
        step = report.witness.step
        return f"Look at {step.name}: {step.words}. Is that what your code computes? Try it by hand on two numbers."
    one = next(one for one in exercise.properties if one.name == name)
    return one.nudge or f"A right answer {one.statement}. What does yours do there? Try it by hand on two samples."


def pointer(exercise: Exercise, report: "Report", name: str) -> str:
    """Where in the book the missing thing is explained."""
    one = next(one for one in exercise.properties if one.name == name)
    section = report.diagnoses[0].section if report.diagnoses else one.section
    what = "your mistake" if report.diagnoses else f"what is asked there ({one.statement})"
    if not section:
        return f"Read the chapter on {exercise.name} again, where it says that a right answer {one.statement}."
    place = book.link(section) or book.place(section)
    return f"The book explains {what} here: {place}. Compare its formula with your code, symbol by symbol."


def worked_step(exercise: Exercise, report: "Report") -> Hint:
    """The steps up to the first that differs, in numbers; all of them when it is not known which does."""
    witness = report.witness
    if exercise.plain:
        return Hint(exercise.name, 3, "Many answers are right here, so none is worked out: try yours on three samples.")
    if witness is None:
        return Hint(exercise.name, 3, "No small input fails that could be worked out: return numbers first.")
    arguments = tuple(witness.inputs.values())
    given = tuple(Worked(name, "given", value) for name, value in witness.inputs.items())
    if exercise.chain is None:
        results = tuple(Worked(name, "the result", value) for name, value in witness.expected.items())
        return Hint(exercise.name, 3, "On the smallest input that fails, the right results are these.", given + results)
    at = exercise.steps.trace(arguments)
    steps = []
    for name, step in exercise.steps.steps.items():
        steps.append(
            Worked(name, " ".join((step.__doc__ or "").split()), exercise.shown({name: getattr(at, name)})[name])
        )
        if witness.step is not None and name == witness.step.name:
            break
    sentence = "On the smallest input that fails, the right steps are these. Print yours beside them."
    return Hint(exercise.name, 3, sentence, given + tuple(steps))
