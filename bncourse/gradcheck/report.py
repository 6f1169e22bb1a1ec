"""What was found? Never just a boolean: both numbers, where, and against which tolerance."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InputReport:
    """What was found for one input: its worst element, the one with the largest error against its tolerance.

    ``index`` is ``()`` for a projection, and where there was nothing to compare; ``message`` then says why.
    """

    name: str
    passed: bool
    index: tuple[int, ...] = ()
    expected: float = float("nan")
    actual: float = float("nan")
    error: float = float("inf")
    tolerance: float = 0.0
    message: str = ""

    def __str__(self) -> str:
        if self.message:
            return f"{self.name}: {self.message}"
        where = f"{self.name}[{', '.join(map(str, self.index))}]" if self.index else self.name
        relation = "<=" if self.passed else ">"
        return (
            f"{where}: expected {self.expected:.12g}, actual {self.actual:.12g}, "
            f"error {self.error:.2g} {relation} tolerance {self.tolerance:.2g}"
        )


@dataclass(frozen=True)
class GradReport:
    """The verdict on a backward pass: true exactly when every gradient is right. It prints both numbers.

    ``inputs`` holds one :class:`InputReport` for each input; ``name``, ``index``, ``expected``, ``actual``, ``error``
    and ``tolerance`` are those of the worst one. ``reason`` says why the complex step, the first choice, was not used.
    """

    passed: bool
    method: str
    seed: int
    inputs: tuple[InputReport, ...]
    reason: str = ""
    message: str = ""

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        verdict = f"gradcheck {'passed' if self.passed else 'FAILED'} ({self.method}, seed {self.seed})"
        return "\n  ".join([verdict, *filter(None, (self.message, self.reason)), *map(str, self.inputs)])

    @property
    def worst(self) -> InputReport:
        """The input with the largest error against its tolerance, the failed before the passed."""
        return max(self.inputs, key=lambda one: (not one.passed, one.error / max(one.tolerance, 1e-300)))

    @property
    def name(self) -> str:
        """Name of the worst input."""
        return self.worst.name

    @property
    def index(self) -> tuple[int, ...]:
        """Index of the worst element."""
        return self.worst.index

    @property
    def expected(self) -> float:
        """The derivative of the forward pass there."""
        return self.worst.expected

    @property
    def actual(self) -> float:
        """What the backward pass returned there."""
        return self.worst.actual

    @property
    def error(self) -> float:
        """``|actual - expected|`` there; infinite when there was nothing to compare."""
        return self.worst.error

    @property
    def tolerance(self) -> float:
        """The largest error that would have been accepted there."""
        return self.worst.tolerance
