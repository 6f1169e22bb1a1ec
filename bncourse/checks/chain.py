"""Which steps lead to an answer, and what comes out when some of them are wrong?

A chain is an answer written as named steps, each a function of what is there already (``at.x``, ``at.mean``, ...) and
each with a docstring that says in words what it is. A mistake in a step is that step written wrongly. So two mistakes
in different steps make a third answer by themselves, and a trace shows the first step that differs.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

Step = Callable[[Any], Any]
Wrong = Mapping[str, Step]


class Chain:
    """The steps of an answer, in order."""

    def __init__(self, parameters: tuple[str, ...], returns: tuple[str, ...], **defaults: Any) -> None:
        """Name the arguments and the steps that are returned; ``defaults`` are those of arguments left out."""
        self.parameters = parameters
        self.returns = returns
        self.defaults = defaults
        self.steps: dict[str, Step] = {}

    def step(self, step: Step) -> Step:
        """Add a step, under the function's name."""
        self.steps[step.__name__] = step
        return step

    def trace(self, arguments: tuple[Any, ...], wrong: Wrong | None = None) -> Any:
        """Every argument and every step by name; ``wrong`` replaces steps, defaults or arguments."""
        wrong = wrong or {}
        given = dict(zip(self.parameters, arguments, strict=False))
        at = SimpleNamespace(**(self.defaults | given), given=given)
        for name in (*self.parameters, *self.steps):
            step = wrong.get(name, self.steps.get(name))
            if step is not None:
                setattr(at, name, step(at))
        return at

    def answer(self, wrong: Wrong | None = None) -> Callable[..., Any]:
        """The whole answer as one function, with some steps wrong."""

        def answer(*arguments: Any) -> Any:
            at = self.trace(arguments, wrong)
            values = tuple(getattr(at, name, None) for name in self.returns)
            return values[0] if len(values) == 1 else values

        return answer
