"""Which wrong answers does the machine make?

Every operator of :mod:`.operators`, at every place of every right answer in ``tests/right_answers`` and of the
reference in ``bncourse.functional`` (with the functions it is made of). Of a pair the last function is changed, of a
layer the class.

A mutant belongs, by a hash of its text, to one of two halves that share nothing. Seeds below 100 draw from the first,
which the diagnosis is developed with (seeds 0 to 9); seeds from 100 on draw from the second, and only these are
reported. The operators have equal shares, so that exchanged names, of which there are most, do not outweigh the rest;
within an operator all styles have equal shares. The same seed draws the same mutants.
"""

import ast
import inspect
import linecache
import sys
import textwrap
import warnings
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import FunctionType, ModuleType
from typing import Any, Protocol

import numpy as np
from right_answers import RIGHT

from bncourse import functional, nn

from .cases import CASES, Case
from .operators import OPERATORS, Scope, own_attribute, scope_of

REPORTED = 100
"""The first seed of the half that figures are reported on."""

STEPS = {
    *("mean_and_centred", "standardize", "deviation", "closed_form", "project", "count", "spread"),
    *("_inference", "_fold", "_update", "scale_shift_backward", "groupnorm_forward", "groupnorm_backward"),
}
"""The functions that references share and that hold mathematics; the rest validates, converts, or splits long sums."""


VALIDATION = {
    *("data", "same_shape", "vector", "statistic", "variance", "numbers", "together", "upstream", "_scalar"),
    *("with_parameters", "image_arguments", "at_least_two", "small_constant"),
}
"""The reference's calls that only check and convert what comes in; nothing in them is changed."""


class Build(Protocol):
    """Run a changed source; ``extra`` are names that it may use beside those of its module."""

    def __call__(self, source: str, file_name: str, **extra: Any) -> tuple[Any, ...]:
        """The functions of the answer."""


@dataclass(frozen=True)
class Origin:
    """A right answer, one function of which is to be changed."""

    exercise: str
    style: str
    """Where it comes from: the module and name of the function."""
    changed: str
    """The name of what is changed."""
    source: str
    functions: tuple[Any, ...] = field(repr=False)
    """The right answer."""
    build: "Build" = field(repr=False)
    """The answer with its changed part replaced by what a source defines."""
    code: Any = field(repr=False)
    """The function or class whose source it is."""
    beside: tuple[str, ...] = field(default=(), repr=False)
    """The sources of the other steps of a reference, which are followed when notes are taken."""

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; its line numbers are those of the source, from 1."""
        return ast.parse(self.source)


@dataclass(frozen=True)
class Mutant:
    """A right answer with one slip."""

    origin: Origin = field(repr=False)
    operator: str
    line: int
    end: int
    """The lines of the statement that was changed."""
    before: str
    after: str
    names: frozenset[str]
    """Locals, parameters and attributes in the changed expression, before and after."""
    targets: frozenset[str]
    """The names that its statement assigns."""
    returned: tuple[int, ...] | None
    """For a return: which of the returned values; () for all of them. None for other statements."""
    source: str = field(repr=False)
    place: "Place" = field(repr=False, compare=False)
    """Where in the origin's tree it was changed, and what stands there now."""
    replacement: ast.AST = field(repr=False, compare=False)

    @property
    def exercise(self) -> str:
        """The exercise that it answers."""
        return self.origin.exercise

    @property
    def style(self) -> str:
        """The right answer that it was."""
        return self.origin.style

    @cached_property
    def functions(self) -> tuple[Any, ...]:
        """What `check` takes."""
        name = f"<mutant {zlib.crc32(self.source.encode()):08x}>"
        linecache.cache[name] = (len(self.source), None, self.source.splitlines(keepends=True), name)
        return self.origin.build(self.source, name)

    def __str__(self) -> str:
        return f"{self.exercise} [{self.style}:{self.line}] {self.operator}: {self.before}  ->  {self.after}"


# ------------------------------------------------------------------------------------------------ right answers


@cache
def right_answers() -> dict[str, list[tuple[str, tuple[Any, ...]]]]:
    """Exercise -> (style, functions) of every right answer in the tests."""
    found: dict[str, list[tuple[str, tuple[Any, ...]]]] = defaultdict(list)
    for exercise, answers in RIGHT.items():
        for functions in answers:
            place = functions[-1].__module__.rpartition(".")[2]
            found[exercise].append((f"{place}.{functions[-1].__name__}", functions))
    return dict(found)


def origins(exercise: str) -> Iterator[Origin]:
    """All that the mutants of an exercise are made from."""
    case = CASES[exercise]
    yield from of_reference(case)
    for style, functions in right_answers().get(exercise, []):
        last = functions[-1]
        yield Origin(exercise, style, last.__name__, text_of(last), functions, replacing(functions), last)


def text_of(code: Any) -> str:
    """The source of a function or class, at the left margin."""
    return textwrap.dedent(inspect.getsource(code))


def define(source: str, file_name: str, namespace: dict[str, Any]) -> None:
    """Run a source; that a slip looks odd to the compiler (``1(x)``) is no news."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(source, file_name, "exec"), namespace)


def replacing(functions: tuple[Any, ...]) -> Build:
    """Run a changed source in a copy of its module, beside the other functions as they were."""
    last = functions[-1]
    module = sys.modules[last.__module__]

    def build(source: str, file_name: str, **extra: Any) -> tuple[Any, ...]:
        namespace = vars(module) | extra
        define(source, file_name, namespace)
        return (*functions[:-1], namespace[last.__name__])

    return build


# ------------------------------------------------------------------------------------------------ the reference


@cache
def everything() -> dict[str, Any]:
    """All names of the modules of ``bncourse.functional``, in one namespace; they don't collide."""
    names: dict[str, Any] = {}
    for module in sorted(vars(functional)):
        found = getattr(functional, module)
        if isinstance(found, ModuleType):
            names |= {name: value for name, value in vars(found).items() if not name.startswith("__")}
    return names


def together_again(source: str, file_name: str, extra: dict[str, Any]) -> dict[str, Any]:
    """The same functions, calling one another in a namespace of their own, one of them changed."""
    namespace: dict[str, Any] = everything() | extra
    for name, value in everything().items():
        if isinstance(value, FunctionType) and value.__module__.startswith(functional.__name__):
            namespace[name] = FunctionType(value.__code__, namespace, name, value.__defaults__, value.__closure__)
            namespace[name].__kwdefaults__ = value.__kwdefaults__
    define(source, file_name, namespace)
    return namespace


def of_reference(case: Case) -> Iterator[Origin]:
    """The reference function, and the functions it is made of."""
    name, functions = case.functions[-1], case.reference
    if name == "BatchNorm":
        yield Origin(
            case.name, f"reference.{name}", name, text_of(nn.BatchNorm), functions, replacing(functions), nn.BatchNorm
        )
        return
    if name not in everything():
        return  # the reference is the exercise's own, and stands among its mistakes: there are right answers enough

    def build(source: str, file_name: str, **extra: Any) -> tuple[Any, ...]:
        return (*functions[:-1], together_again(source, file_name, extra)[name])

    steps = reachable(name)
    for changed in steps:
        code = everything()[changed]
        beside = tuple(text_of(everything()[one]) for one in steps if one != changed)
        yield Origin(case.name, f"reference.{changed}", changed, text_of(code), functions, build, code, beside)


def reachable(name: str) -> list[str]:
    """The function, and the steps it calls."""
    found, waiting = [], [name]
    while waiting:
        current = waiting.pop()
        if current in found or (current != name and current not in STEPS):
            continue
        found.append(current)
        waiting += [n for n in everything()[current].__code__.co_names if isinstance(everything().get(n), FunctionType)]
    return found


# ------------------------------------------------------------------------------------------------ mutants


def mutants_of(origin: Origin) -> Iterator[Mutant]:
    """Every slip at every place of one right answer."""
    tree = origin.tree
    scope = scope_of(tree)
    seen = {ast.unparse(tree)}
    for place in places(tree, None, skipped(tree)):
        for name, slip in OPERATORS.items():
            for replacement in slip(place.node, scope):
                source = place.unparsed(tree, replacement)
                if source not in seen:
                    seen.add(source)
                    yield mutant(origin, name, place, replacement, scope, source)


@dataclass(frozen=True)
class Place:
    """A node and where it hangs."""

    node: ast.AST
    parent: ast.AST
    attribute: str
    index: int | None
    above: "Place | None"

    def way(self) -> "Iterator[Place]":
        """This place and those around it, up to its statement."""
        yield self
        if not isinstance(self.node, ast.stmt):
            assert self.above is not None
            yield from self.above.way()

    def unparsed(self, tree: ast.Module, replacement: ast.AST) -> str:
        """The whole source with the node replaced."""
        self.put(ast.copy_location(replacement, self.node) if hasattr(self.node, "lineno") else replacement)
        try:
            return ast.unparse(tree)
        finally:
            self.put(self.node)

    def put(self, node: ast.AST) -> None:
        """Hang a node here."""
        if self.index is None:
            setattr(self.parent, self.attribute, node)
        else:
            getattr(self.parent, self.attribute)[self.index] = node


def places(node: ast.AST, above: Place | None, left_out: set[int]) -> Iterator[Place]:
    """Every node below this one that may be changed, with the way to it."""
    for attribute, value in ast.iter_fields(node):
        if attribute in ("annotation", "returns", "decorator_list"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and id(child) not in left_out:
                place = Place(child, node, attribute, index, above)
                yield place
                yield from places(child, place, left_out)


def skipped(tree: ast.Module) -> set[int]:
    """Docstrings, guards that only raise, validation: what is wrong there is no mistake in the mathematics."""
    found = set()
    for node in ast.walk(tree):
        guard = isinstance(node, ast.If) and isinstance(node.body[-1], ast.Raise) and not node.orelse
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        validation = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in VALIDATION
        if guard or text or validation or isinstance(node, ast.Raise | ast.Assert):
            found.add(id(node))
    return found


def mutant(origin: Origin, operator: str, place: Place, replacement: ast.AST, scope: Scope, source: str) -> Mutant:
    """Note what was changed."""
    *_, statement = place.way()
    node = statement.node
    assert isinstance(node, ast.stmt)
    targets, returned = assigned(statement, place)
    return Mutant(
        origin,
        operator,
        node.lineno,
        (node.end_lineno or node.lineno) if not isinstance(node, ast.If | ast.For) else node.lineno,
        one_line(place.node),
        one_line(replacement),
        frozenset(changed_names(place, replacement, scope, statement)),
        frozenset(targets),
        returned,
        source,
        place,
        replacement,
    )


def one_line(node: ast.AST) -> str:
    """A node as text."""
    return " ".join(ast.unparse(node).split())[:120] or "(nothing)"


def changed_names(place: Place, replacement: ast.AST, scope: Scope, statement: Place) -> set[str]:
    """The names in the changed expression; of the expression around it, if it has none (a constant, a subscript)."""
    if isinstance(replacement, ast.arguments) and isinstance(place.node, ast.arguments):
        first = len(replacement.args) - len(replacement.defaults)
        pairs = zip(replacement.args[first:], place.node.defaults, replacement.defaults, strict=True)
        return {parameter.arg for parameter, old, new in pairs if ast.dump(old) != ast.dump(new)}
    found = names_in(place.node, scope) | names_in(replacement, scope)
    around = place
    while not found and around is not statement and around.above is not None:
        around = around.above
        found = names_in(around.node, scope)
    return found


def names_in(node: ast.AST, scope: Scope) -> set[str]:
    """The locals, parameters and own attributes below a node."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and (one.id in scope.bound or one.id in scope.inner):
            found.add(one.id)
        elif own_attribute(one):
            found.add(one.attr)  # type: ignore[attr-defined]
    return found


def assigned(statement: Place, place: Place) -> tuple[set[str], tuple[int, ...] | None]:
    """What a statement assigns at the changed place: names, or which of the returned values."""
    node = statement.node
    if isinstance(node, ast.Return):
        if isinstance(node.value, ast.Tuple):
            inside = [at for at, part in enumerate(node.value.elts) if contains(part, place.node)]
            return set(), tuple(inside)
        return set(), ()
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            for one, value in zip(target.elts, node.value.elts, strict=False):
                if contains(value, place.node):
                    return stored(one), None
        return {name for one in node.targets for name in stored(one)}, None
    if isinstance(node, ast.AugAssign | ast.AnnAssign):
        return stored(node.target), None
    if isinstance(node, ast.For):
        return stored(node.target), None
    if isinstance(node, ast.If):
        parts = [*node.body, *node.orelse]
        return {name for part in parts for one in ast.walk(part) if is_stored(one) for name in stored(one)}, None
    return set(), None


def contains(node: ast.AST, part: ast.AST) -> bool:
    """Whether a node is, or holds, another."""
    return any(one is part for one in ast.walk(node))


def is_stored(node: ast.AST) -> bool:
    """Whether a node is assigned to."""
    return isinstance(getattr(node, "ctx", None), ast.Store)


def stored(target: ast.AST) -> set[str]:
    """The names that a target changes: of a[i] it is a, of self.a it is a."""
    if isinstance(target, ast.Tuple | ast.List):
        return {name for one in target.elts for name in stored(one)}
    if isinstance(target, ast.Starred | ast.Subscript):
        return stored(target.value)
    if isinstance(target, ast.Attribute):
        return {target.attr}
    return {target.id} if isinstance(target, ast.Name) else set()


# ------------------------------------------------------------------------------------------------ drawing


@cache
def population(exercise: str) -> tuple[Mutant, ...]:
    """Every mutant of an exercise."""
    seen, found = set(), []
    for origin in origins(exercise):
        for one in mutants_of(origin):
            if (origin.changed, one.source) not in seen:
                seen.add((origin.changed, one.source))
                found.append(one)
    return tuple(found)


def half(one: Mutant) -> int:
    """0: for development; 1: for the report."""
    return zlib.crc32(f"{one.style} {one.source}".encode()) % 2


def sample(exercise: str, seed: int, count: int) -> list[Mutant]:
    """So many mutants, the same ones for the same seed: each operator, and in it each style, in turn."""
    random = np.random.default_rng([seed, zlib.crc32(exercise.encode())])
    waiting: dict[str, dict[str, list[Mutant]]] = defaultdict(lambda: defaultdict(list))
    for one in population(exercise):
        if half(one) == (seed >= REPORTED):
            waiting[one.operator][one.style].append(one)
    chosen: list[Mutant] = []
    while len(chosen) < count and waiting:
        for operator in random.permutation(sorted(waiting)):
            styles = waiting[operator]
            style = sorted(styles)[random.integers(len(styles))]
            chosen.append(styles[style].pop(random.integers(len(styles[style]))))
            if not styles[style]:
                del styles[style]
            if not styles:
                del waiting[operator]
    return chosen[:count]
