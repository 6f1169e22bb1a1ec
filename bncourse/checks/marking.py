"""Is this answer right, and what is it worth?"""

from collections.abc import Iterator

from . import surroundings
from .asking import Asked, Refused
from .assignments import exercise_named
from .diagnosis import diagnose
from .draw import Draw, fresh_seed
from .exercise import Exercise, Misconception, Property
from .report import Report, Result
from .surroundings import TimeUp, quiet, time_limit, undisturbed
from .witness import Witness, smallest_witness


def check(exercise: str, *functions: object, seed: int | None = None) -> Report:
    """Check the answer to an exercise.

    ``exercise`` is its name, ``functions`` the student's function (or functions). Inputs are drawn anew every time;
    the report's ``seed`` draws the same ones again. Whatever the functions do, a report comes back; only an
    unknown name or a wrong number of functions raises ``ValueError``.

    >>> check("batch_mean", lambda x: x.mean(axis=0)).passed
    True
    """
    task = exercise_named(exercise)
    if len(functions) != len(task.functions):
        raise ValueError(
            f'check("{exercise}", {", ".join(task.functions)}) takes {counted(len(task.functions))} after the name, '
            f"but {len(functions)} came."
        )
    seed = fresh_seed() if seed is None else int(seed)
    student = Asked(functions[0], task)
    with undisturbed():
        results = tuple(judged(task, student, seed))
        finished = not any(result.message.endswith(out_of_time()) for result in results)
        wrong = not all(result.passed for result in results)
        diagnoses = named(task, student, seed) if wrong and finished else ()
    return Report(task.name, results, diagnoses, seed, lambda: shown(task, student) if finished else None)


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


def named(exercise: Exercise, student: Asked, seed: int) -> tuple[Misconception, ...]:
    """The mistakes that explain the answers."""
    try:
        with quiet(), time_limit(surroundings.TIME_LIMIT):
            return tuple(diagnose(exercise, student, seed))
    except TimeUp:
        return ()


def shown(exercise: Exercise, student: Asked) -> Witness | None:
    """The smallest input that shows the mistake; looked for under the same guard as the rest."""
    try:
        with undisturbed(), quiet(), time_limit(surroundings.TIME_LIMIT):
            return smallest_witness(exercise, student)
    except TimeUp:
        return None
