"""Which mistake is it?

Six layers, from the most to the least specific; the first that explains what was seen speaks. Everything is asked on
several problems: N > D, N = D, N < D, shifted features, one that hardly varies, with eps and without, whole numbers.

1. *An entry of the bank.* One wrong implementation gives the student's answer on *all* of them and is clearly not right
   on at least two of different shapes. When two entries both do, nothing is named: a wrong name is worse than none.
2. *Another form, another default*: an argument handed back; the right numbers transposed or in another order; right
   whenever everything is given.
3. *Several entries at once*, in different steps: the chain with these steps wrong gives the student's answer. Two; of
   answers with many outputs, up to four.
4. *A reading*: the answer is a sum of the right terms with wrong factors (:mod:`.reading`).
5. *A fault*: one step went wrong in a simple way, and the whole answer with it is the student's (:mod:`.faults`).
6. *A symptom*: an exact identity that does not hold, on two problems of different shape.

An answer that is right on all of these is also looked at far from 0, where digits cancel. What an answer does besides
its numbers (changing inputs, keeping the cache) is named on top of that.
"""

from .asking import Asked
from .bank import by_contract, entries_at_once, first_answers, lost_digits, single_entries
from .exercise import Exercise
from .faults import another_default, faulty_step
from .forms import another_form, broken_identities, returned_unchanged
from .seen import Diagnosis, Seen, agree, look
from .terms import read

__all__ = ["Diagnosis", "agree", "by_value", "diagnose", "look"]


def diagnose(exercise: Exercise, student: Asked, seed: int) -> list[Diagnosis]:
    """The mistakes that explain the student's answers, most likely first; none when unknown."""
    if exercise.plain:
        return []
    seen = look(exercise, student, seed)
    return by_value(exercise, student, seen, seed) + by_contract(exercise, seen)


def by_value(exercise: Exercise, student: Asked, seen: "Seen", seed: int) -> list[Diagnosis]:
    """What explains the numbers."""
    if all(agree(one, right) for one, right in zip(seen.outcomes, seen.right, strict=True)):
        return lost_digits(exercise, student, seed)
    first = first_answers(exercise, seen)
    single = single_entries(exercise, seen, first)
    if single:
        return single if len(single) == 1 else []
    return (
        returned_unchanged(exercise, seen)
        or another_form(exercise, seen)
        or another_default(exercise, seen)
        or entries_at_once(exercise, seen, first)
        or [one for reading in exercise.readings for one in read(exercise, student, reading, seen, seed)]
        or faulty_step(exercise, seen)
        or broken_identities(exercise, seen)
    )
