"""Is this answer right, and what is it worth?"""

from collections.abc import Iterator
from typing import Any

from . import surroundings
from .asking import Asked, Refused
from .assignments import exercise_named
from .consistency import is_its_derivative, its_own_truth, judge_forward
from .diagnosis import Diagnosis, diagnose
from .draw import Draw, fresh_seed
from .exercise import Exercise, Property
from .hints import Hint, hint
from .report import Report, Result
from .surroundings import TimeUp, quiet, time_limit, undisturbed
from .transfer import points_elsewhere
from .witness import Witness, smallest_witness


def check(exercise: str, *functions: object, seed: int | None = None) -> Report:
    """Check the answer to an exercise.

    ``exercise`` is its name, ``functions`` the student's function (or functions: what takes a cache comes with its
    forward). Inputs are drawn anew every time; the report's ``seed`` draws the same ones again. Whatever the functions
    do, a report comes back; only an unknown name or a wrong number of functions raises ``ValueError``.

    >>> check("batch_mean", lambda x: x.mean(axis=0)).passed
    True
    """
    worth = points_elsewhere(exercise)
    if worth is not None:
        return marked_later(exercise, worth)
    task = exercise_named(exercise)
    expect_functions(task, functions)
    seed = fresh_seed() if seed is None else int(seed)
    student = Asked(functions, task)
    with undisturbed():
        results = tuple(judged(task, student, seed))
        finished = not any(result.message.endswith(out_of_time()) for result in results)
        diagnoses: tuple[Diagnosis, ...] = ()
        notes: tuple[str, ...] = ()
        if finished and not all(result.passed for result in results):
            results, diagnoses, notes = explained(task, student, results, seed)
    return Report(
        task.name,
        results,
        diagnoses,
        notes,
        seed,
        lambda: shown(task, student, diagnoses, seed) if finished else None,
        lambda report, grade: hinted(task, report, grade),
    )


def marked_later(name: str, worth: float) -> Report:
    """The report on a transfer exercise where nothing is there that could mark it."""
    sentence = (
        f"{name} is marked when you hand in: what it is checked with is not part of the course's package. Until then, "
        "try your answer on the example in the text, and on cases that you can work out by hand."
    )
    result = Result("marked_later", "is marked when you hand in", False, 0.0, worth, sentence)
    return Report(
        name, (result,), (), (sentence,), 0, lambda: None, lambda _, grade: Hint(name, grade, sentence), marked=False
    )


def expect_functions(exercise: Exercise, functions: tuple[object, ...]) -> None:
    """Raise ``ValueError`` unless as many functions came as the exercise takes."""
    if len(functions) != len(exercise.functions):
        raise ValueError(
            f'check("{exercise.name}", {", ".join(exercise.functions)}) takes {counted(len(exercise.functions))} after '
            f"the name, but {len(functions)} came."
        )


def counted(number: int) -> str:
    """One function, two functions."""
    return "one function" if number == 1 else f"{number} functions"


def judged(exercise: Exercise, student: Asked, seed: int) -> Iterator[Result]:
    """Every property in turn. After the first that runs out of time the rest is not reached."""
    reached = True
    holding = {""}
    for one in exercise.properties:
        if not reached:
            yield failed(one, "Not reached.")
        elif one.needs not in holding:
            yield failed(one, "Counts once the main thing is right.")
        else:
            try:
                with quiet(), time_limit(surroundings.TIME_LIMIT):
                    one.holds(student, Draw(seed, one.name))
            except Refused as seen:
                yield failed(one, str(seen))
            except TimeUp:
                reached = False
                yield failed(one, f"{exercise.name} {out_of_time()}")
            else:
                holding.add(one.name)
                yield Result(one.name, one.statement, True, one.points, one.points, one.statement)


def failed(one: Property, seen: str) -> Result:
    """A property that does not hold."""
    return Result(one.name, one.statement, False, 0.0, one.points, seen)


def out_of_time() -> str:
    """What is said about an endless loop."""
    return f"did not finish within {surroundings.TIME_LIMIT:g} seconds: is there a loop that never ends?"


Explained = tuple[tuple[Result, ...], tuple[Diagnosis, ...], tuple[str, ...]]


def explained(exercise: Exercise, student: Asked, results: tuple[Result, ...], seed: int) -> Explained:
    """The results again, the mistakes that explain them, and notes; under the same guard as the rest."""
    try:
        with quiet(), time_limit(surroundings.TIME_LIMIT):
            forward = judge_forward(exercise, student.functions, seed)
            if not forward.wrong:
                return results, tuple(diagnose(exercise, student, seed)), ()
            if not forward.named:
                return results, (), (mend_first(exercise),)
            names = " and ".join(one.identifier for one in forward.named)
            if not is_its_derivative(exercise, student, forward.named[0], seed):
                return results, (), (mend_first(exercise, names),)
            again = tuple(judged(exercise, its_own_truth(student, exercise), seed))
            return again, (), (consistent(exercise, names),)
    except TimeUp:
        return results, (), ()


def consistent(exercise: Exercise, mistakes: str) -> str:
    """What is said of a backward that is the derivative of a wrong forward."""
    return (
        f"Your {exercise.name} is consistent with your {exercise.functions[0]}, whose mistake is {mistakes}: it is the "
        "exact derivative of what that computes, and keeps its points. Mended together, both will be right."
    )


def mend_first(exercise: Exercise, mistakes: str = "") -> str:
    """What is said of a backward beside a wrong forward."""
    forward = exercise.functions[0]
    which = f" ({mistakes})" if mistakes else ""
    return (
        f'Your {forward} is not right yet{which}: mend it first, with check("{forward}", {forward}). Until then '
        f"nothing can be said about why {exercise.name} is wrong."
    )


def shown(exercise: Exercise, student: Asked, diagnoses: tuple[Diagnosis, ...], seed: int) -> Witness | None:
    """The smallest input that shows the mistake; looked for under the same guard as the rest."""
    try:
        with undisturbed(), quiet(), time_limit(surroundings.TIME_LIMIT):
            return smallest_witness(exercise, student, diagnoses, seed)
    except TimeUp:
        return None


def hinted(exercise: Exercise, report: Any, grade: int) -> Hint:
    """The next step."""
    return hint(exercise, report, grade)
