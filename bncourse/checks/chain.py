"""Which steps lead to an answer, and what comes out when some of them are wrong?

A chain is an answer written as named steps, each a function of what is there already (``at.x``, ``at.mean``, ...) and
each with a docstring that says in words what it is. A mistake in a step is that step written wrongly. So two mistakes
in different steps make a third answer by themselves, and a trace shows the first step that differs.
"""

from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

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


class Recording:
    """A namespace that notes what is read."""

    def __init__(self, at: Any) -> None:
        self._at = at
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self._at, name)


class Retrace:
    """The right steps on one input, from which wrong ones are followed: only what depends on them is computed again."""

    def __init__(self, chain: Chain, arguments: tuple[Any, ...]) -> None:
        self.chain = chain
        self.at = chain.trace(arguments)
        self.reads = {name: self.what_is_read(step) for name, step in chain.steps.items()}
        self.orders: dict[frozenset[str], tuple[str, ...]] = {}
        self.after = {name: self.downstream(name) for name in (*chain.parameters, *chain.steps)}

    def what_is_read(self, step: Step) -> frozenset[str]:
        """The arguments and steps that a step uses."""
        recording = Recording(self.at)
        step(recording)
        return frozenset(recording.read) - {"given"}

    def downstream(self, name: str) -> frozenset[str]:
        """A step, and all that depend on it."""
        touched = {name}
        for later, read in self.reads.items():
            if read & touched:
                touched.add(later)
        return frozenset(touched)

    def follow(self, wrong: Wrong) -> Any:
        """Every argument and step by name, with these steps wrong."""
        again = SimpleNamespace(**vars(self.at))
        for name in self.in_order(frozenset(wrong)):
            setattr(again, name, wrong.get(name, self.chain.steps.get(name))(again))  # type: ignore[misc]  # one has it
        return again

    def in_order(self, wrong: frozenset[str]) -> tuple[str, ...]:
        """What has to be computed again when these are wrong."""
        if wrong not in self.orders:
            touched: set[str] = set().union(*(self.after[name] for name in wrong))
            self.orders[wrong] = tuple(n for n in (*self.chain.parameters, *self.chain.steps) if n in touched)
        return self.orders[wrong]

    def outputs(self, wrong: Wrong, names: Iterable[str]) -> dict[str, Any]:
        """Some of these as arrays; nothing when they cannot be computed."""
        try:
            at = self.follow(wrong)
            return {name: np.asarray(getattr(at, name), float) for name in names}
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError):  # shapes that do not fit
            return {}
