"""What does somebody hand in, and what is it worth?"""

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from textwrap import dedent, indent
from typing import Any

Notebook = dict[str, Any]

STUB = re.compile(r"^( *)# YOUR CODE HERE\n *raise NotImplementedError\(\)", re.MULTILINE)
"""What nbgrader leaves of a solution."""

WHOLE = ("def ", "class ", "import ", "from ", "@", "#", "%")
"""A text that begins so is a whole cell; any other is what stands below the docstring."""


@dataclass(frozen=True)
class Submission:
    """The released notebook with some of its cells written, and the points a teacher would give for it."""

    name: str
    answers: Mapping[str, str]
    """Of an answer cell by its id: what stands for the stub, or the whole cell."""
    points: Mapping[str, float]
    """Of a check cell by its id; those left out get 0."""
    misconceptions: Mapping[str, str] = field(default_factory=dict)
    """Of a check cell by its id: the mistake that the report must name."""
    written: Mapping[str, str] = field(default_factory=dict)
    """Of a cell that is marked by hand: its text."""
    deleted: tuple[str, ...] = ()
    """Cells that are not handed in."""

    def handed_in(self, released: Notebook) -> Notebook:
        """The notebook, made of the released one."""
        notebook = deepcopy(released)
        unknown = (self.answers.keys() | self.written.keys() | set(self.deleted)) - {c["id"] for c in notebook["cells"]}
        assert not unknown, f"{self.name} writes cells that are not in the notebook: {sorted(unknown)}"
        notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] not in self.deleted]
        for cell in notebook["cells"]:
            if cell["id"] in self.written:
                cell["source"] = self.written[cell["id"]]
            if cell["id"] in self.answers:
                cell["source"] = filled(text_of(cell), self.answers[cell["id"]])
        return notebook


def text_of(cell: Mapping[str, Any]) -> str:
    """A cell's source."""
    return "".join(cell["source"])


def filled(stub: str, answer: str) -> str:
    """A released answer cell with the answer in it."""
    answer = dedent(answer).strip("\n")
    if answer.startswith(WHOLE):
        return answer
    (place,) = STUB.finditer(stub)
    return stub[: place.start()] + indent(answer, place[1]) + stub[place.end() :]
