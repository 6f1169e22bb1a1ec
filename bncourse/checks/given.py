"""Which function does a cell use that builds on an earlier answer?

The student's own where it is right, the course's where it is not: a mistake then costs its own points, and no later
cell stands still or shows a wrong picture.
"""

from typing import Any

from .asking import Asked
from .assignments import exercise_named
from .draw import fresh_seed
from .exercise import Exercise
from .marking import expect_functions, judged
from .surroundings import undisturbed


def working(exercise: str, *functions: object) -> Any:
    """The function if it is right, the course's if it is not; one printed sentence says which.

    Takes what :func:`~bncourse.check` takes. One function (or class) comes back as it is, a forward with its backward
    as a pair. Whatever the student's functions do, nothing is raised and nothing else is printed; only an unknown name
    or a wrong number of functions raises ``ValueError``. Whoever wants to know why an answer is not right asks
    ``check``: here only *whether* is asked, which is quicker.

    >>> import numpy as np
    >>> batch_mean = working("batch_mean", lambda x: x.mean())
    Your batch_mean is not right yet, so this cell uses the course's.
    >>> batch_mean(np.array([[1.0], [3.0]]))
    array([2.])
    """
    task = exercise_named(exercise)
    expect_functions(task, functions)
    right = is_right(task, functions)
    print(sentence(task.functions, right))
    chosen = functions if right else task.reference
    return chosen[0] if len(chosen) == 1 else chosen


def is_right(exercise: Exercise, functions: tuple[object, ...]) -> bool:
    """Whether every property holds; the first that does not ends the search.

    A backward that is consistent with a wrong forward keeps its points in ``check``, but is no function to go on with.
    """
    with undisturbed():
        return all(result.passed for result in judged(exercise, Asked(functions, exercise), fresh_seed()))


def sentence(names: tuple[str, ...], right: bool) -> str:
    """Whose function it is. Of a pair nobody knows yet which of the two is wrong: a given forward may well be right."""
    which = " and ".join(names)
    if right:
        return f"This cell uses your {which}."
    wrong = "is not right yet" if len(names) == 1 else "are not right yet as a pair"
    return f"Your {which} {wrong}, so this cell uses the course's."
