"""What is a mutant about?

The expected explanation is derived from the difference of the two syntax trees, not written by hand. The right answer
is run once with a note taken of the value of every expression and every assigned name; a value that is one of the known
quantities of the exercise (those of :mod:`.cases`, and the steps of the checker's own chain, by their names), whole, in
part, inverted or with the other sign, has that quantity's role, whatever it is called. So ``ivar``, ``s`` and ``xmu``
get their roles by value. The mutant is run with the same notes.

``roles(mutant)`` is the union of

- the roles of the names and expressions in what was changed, before and after,
- the role of the nearest expression around it that has one (a constant has none of its own),
- the roles of the other factors, where it, or a value that is off by a factor because of it, is part of a product
  (which of them is wrong cannot be seen from outside),
- the role of what its statement assigns or returns,
- the roles of the expressions whose value is another in the mutant: what became wrong,
- for dx, the paths whose coefficient is no longer what it should be,
- what has no value of its own: ``axis`` where an axis or the layout was changed, ``order`` for what is returned, and
  the number of values (``N``) where a mean or a variance was.

A name without a role by value has those of what it was computed from (an operand) or of what is computed from it (an
assigned name).
"""

import ast
import copy
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from bncourse.checks.assignments import EXERCISES
from bncourse.checks.draw import Draw as ProblemDraw
from bncourse.checks.exercise import Exercise, Problem

from .cases import CASES, DIRECT, THROUGH_MEAN, THROUGH_VAR, Draw, Inputs, Quantities
from .equivalence import TooLong, limited
from .making import Mutant, Origin, stored
from .operators import called

Roles = frozenset[str]
NONE: Roles = frozenset()
NEAR = 1e-9
FAR = 1_000_000
"""More than a tree has nodes or lines."""
INTO_DX = {"dy": DIRECT, "dx_hat": DIRECT, "dbeta": THROUGH_MEAN, "dgamma": THROUGH_VAR}
"""In dx these stand for a path: in a closed form, Σdy is that through the mean and Σdy·x̂ that through the variance."""
IN_A_LAYER: dict[str, Roles] = {
    "dx": frozenset({"paths"}),
    "running_mean": frozenset({"tracked_mean"}),
    "running_var": frozenset({"tracked_var"}),
    "num_batches_tracked": frozenset({"weight"}),  # without a momentum, the weight of a batch comes from the count
    "gamma_0": frozenset({"start_gamma"}),
    "beta_0": frozenset({"start_beta"}),
    "running_mean_0": frozenset({"start_mean"}),
    "running_var_0": frozenset({"start_var"}),
}
"""What a layer's state is made of: of weight times the tracked variance, which is wrong cannot be seen from outside."""
PUBLIC = frozenset(
    ("gamma", "beta", "running_mean", "running_var", "num_batches_tracked", "dgamma", "dbeta", "momentum", "eps")
)
"""The attributes of a layer that its exercise names: these have their roles by name too."""


def roles(mutant: Mutant) -> Roles:
    """The quantities that a mutant is about."""
    notes = notes_of(mutant.origin)
    found = set(roles_below(mutant.place.node, notes)) | set(implied(mutant, notes))
    here = {getattr(one, "id", None) for one in ast.walk(mutant.place.node) if notes.by_node.get(id(one))}
    for name in mutant.names - here:  # what has a value at this very place is in already
        found |= notes.of_name(name)
    for place in mutant.place.way():
        if known := notes.by_node.get(id(place.node)):
            found |= known
            break
    found |= factors_beside(mutant, notes)
    result: set[str] = set()
    for name in mutant.targets:
        result |= notes.of_target(name, mutant.line)
    if mutant.returned is not None:
        result.update(of_returned(mutant, notes))
    became_wrong = affected(mutant, notes)
    found |= became_wrong
    if (result | became_wrong) & {"dx", "dx_direct", *DIRECT, *THROUGH_MEAN, *THROUGH_VAR}:
        for quantity, path in INTO_DX.items():
            if quantity in found:
                result.update(path)
    if mutant.operator == "default_changed":
        result |= {f"default_{name}" for name in mutant.names}
    if mutant.exercise == "BatchNorm":
        for name in tuple(found | result):
            result |= IN_A_LAYER.get(name, NONE)
    return frozenset(found | result)


def roles_below(node: ast.AST, notes: "Notes") -> Iterator[str]:
    """The roles of an expression and of all in it."""
    for one in ast.walk(node):
        yield from notes.by_node.get(id(one), NONE)


def roles_in(node: ast.AST, notes: "Notes") -> Iterator[str]:
    """The same, a name without a value of its own standing for what it was computed from."""
    yield from roles_below(node, notes)
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield from notes.of_name(one.id)


def factors_beside(mutant: Mutant, notes: "Notes") -> set[str]:
    """The roles of what the changed expression is multiplied by, or divided by, or divides.

    Which of two factors is wrong cannot be seen from outside: -gamma·x̂ is gamma·(-x̂).
    """
    found: set[str] = set()
    for inner, outer in pairwise(mutant.place.way()):
        parts = factors_of(outer.node)
        for other in parts:
            found.update(roles_in(other, notes) if other is not inner.node else ())
        if isinstance(outer.node, ast.BinOp) and not parts:
            break
    return found


def implied(mutant: Mutant, notes: "Notes") -> Iterator[str]:
    """What was changed without having a value: an axis, an order, the N of a mean."""
    if mutant.operator in ("axis_changed", "layout_changed"):
        yield "axis"
    if mutant.operator == "returned_exchanged":
        yield "order"
    both = (mutant.place.node, mutant.replacement)
    calls = {called(one) for node in both for one in ast.walk(node)}
    if mutant.operator == "call_removed" and calls & {"mean", "sum", "average", "var", "std"}:
        yield "axis"
    if calls & {"mean", "average", "var", "std", "cov"}:
        yield from notes.count
    if mutant.operator == "name_swapped" and isinstance(mutant.place.node, ast.Name):
        yield from notes.made_from(mutant.place.node.id)  # what stands in its place leaves that out


def of_returned(mutant: Mutant, notes: "Notes") -> Iterator[str]:
    """The roles of what a return gives: by value; in the exercise's own function also by place."""
    *_, statement = mutant.place.way()
    assert isinstance(statement.node, ast.Return)
    value = statement.node.value
    parts = value.elts if isinstance(value, ast.Tuple) else [value] if value is not None else []
    returns = CASES[mutant.exercise].returns
    outermost = mutant.origin.changed == CASES[mutant.exercise].functions[-1] and len(parts) == len(returns)
    for place in mutant.returned or range(len(parts)):
        if place < len(parts):
            yield from notes.by_node.get(id(parts[place]), NONE)
            if outermost:
                yield returns[place]


# ------------------------------------------------------------------------------------------------ what became wrong


def affected(mutant: Mutant, notes: "Notes") -> set[str]:
    """The roles of all that has another value in the mutant than in the right answer."""
    place = mutant.place
    number_of = {id(node): number for number, node in enumerate(ast.walk(mutant.origin.tree))}
    place.put(mutant.replacement)
    try:
        changed = copy.deepcopy(mutant.origin.tree)
        pairs = zip(ast.walk(mutant.origin.tree), ast.walk(changed), strict=True)
        numbers = {id(copied): number_of[id(node)] for node, copied in pairs if id(node) in number_of}
    finally:
        place.put(place.node)
    seen, after, outputs = observed(mutant.origin, changed, numbers)
    found: set[str] = set()
    for known, right, wrong in ((notes.by_number, notes.seen, seen), (notes.by_target, notes.after, after)):
        for key, names in known.items():  # type: ignore[attr-defined]
            if names and key in wrong and not alike(right[key], wrong[key]):  # type: ignore[index]
                found |= names
    for name, value in notes.outputs.items():
        if name in outputs and not same(value, outputs[name]):
            found |= {name.partition(",")[0]} | notes.by_output.get(name, NONE)
    for node in ast.walk(mutant.origin.tree):
        parts = factors_of(node)
        for one in parts:
            right, wrong = notes.seen.get(number_of[id(one)], []), seen.get(number_of[id(one)], [])
            if right and wrong and not alike(right, wrong) and (matrix(node) or factor(right[0], wrong[0])):
                for other in parts:
                    found.update(roles_in(other, notes) if other is not one else ())
    return found | wrong_paths(mutant, outputs)


def factors_of(node: ast.AST) -> list[ast.expr]:
    """What a product (a * b, a / b, a ** b, a @ b, an einsum) is made of; nothing, if it is none."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.Pow | ast.MatMult):
        return [node.left, node.right]
    return node.args[1:] if isinstance(node, ast.Call) and called(node) == "einsum" else []


def matrix(node: ast.AST) -> bool:
    """Whether it is a matrix product, where a column of ones beside x_hat is what carries beta."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)


def factor(right: Any, wrong: Any) -> bool:
    """Whether a value is off by a factor that all samples, or all features, share: it may as well be another's."""
    try:
        right, wrong = np.asarray(right, dtype=np.float64), np.asarray(wrong, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    if right.shape != wrong.shape or not np.all(right != 0):
        return False
    ratio = wrong / right
    return ratio.ndim < 2 or any(np.ptp(ratio, axis=axis).max() <= 1e-6 for axis in range(2) if ratio.shape[axis] > 1)


def wrong_paths(mutant: Mutant, outputs: dict[str, Any]) -> set[str]:
    """The paths into dx that no longer have their coefficient, if dx is still a sum of them."""
    paths, inputs = CASES[mutant.exercise].paths, stage(mutant.exercise).inputs
    actual = np.asarray(outputs.get("dx", 0.0))
    if paths is None or actual.shape != inputs["dy"].shape or not np.all(np.isfinite(actual)):
        return set()
    labels, terms, right = paths(inputs)
    found: set[str] = set()
    for label in np.unique(labels):
        here = labels == label
        columns = np.stack([np.broadcast_to(value, here.shape)[here] for _, value in terms], axis=1)
        solution, _, rank, _ = np.linalg.lstsq(columns, actual[here], rcond=None)
        fits = np.allclose(columns @ solution, actual[here], rtol=1e-6, atol=1e-9 * np.abs(columns).max())
        if rank == len(terms) and fits:
            for (names, _), coefficient, wanted in zip(terms, solution, right, strict=True):
                found |= set(names) if abs(coefficient - wanted) > 1e-6 else set()
    return found


def alike(some: list[Any], others: list[Any]) -> bool:
    """Whether an expression had the same values, one visit after the other."""
    return len(some) == len(others) and all(same(one, other) for one, other in zip(some, others, strict=True))


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to rounding; what holds no numbers counts as equal."""
    try:
        one, other = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    except (TypeError, ValueError):
        return True
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True))


# ------------------------------------------------------------------------------------------------ taking notes


@dataclass
class Notes:
    """The roles seen while a right answer ran."""

    tree: ast.Module
    by_node: dict[int, Roles] = field(default_factory=dict)
    """Of expressions, by the identity of the node."""
    by_target: dict[tuple[str, int], Roles] = field(default_factory=dict)
    """Of names after the statement on that line assigned them."""
    by_number: dict[int, Roles] = field(default_factory=dict)
    """``by_node`` by the place of the node in a walk through the tree."""
    seen: dict[int, list[Any]] = field(default_factory=dict)
    after: dict[tuple[str, int], list[Any]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    by_output: dict[str, Roles] = field(default_factory=dict)
    """What was seen: the values of expressions, of names, of the answer, and what is known of the latter."""
    count: Roles = frozenset({"N"})
    """The roles of the number of values that are averaged."""

    def of_name(self, name: str, depth: int = 3) -> Roles:
        """A name's roles: by its values, or else by what it was computed from."""
        found = {name} & PUBLIC if isinstance(self.tree.body[0], ast.ClassDef) else set()
        for node in ast.walk(self.tree):
            if getattr(node, "id", None) == name or (isinstance(node, ast.Attribute) and node.attr == name):
                found |= self.by_node.get(id(node), NONE)
        for (target, _), seen in self.by_target.items():
            if target == name:
                found |= seen
        return frozenset(found) if found or not depth else self.made_from(name, depth)

    def made_from(self, name: str, depth: int = 1) -> Roles:
        """The roles of what a name is computed from."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign | ast.AugAssign) and name in targets_of(node):
                for one in ast.walk(node.value):
                    found |= self.by_node.get(id(one), NONE)
                    if isinstance(one, ast.Name) and one.id != name:
                        found |= self.of_name(one.id, depth - 1)
        return frozenset(found)

    def of_target(self, name: str, line: int, depth: int = 3) -> Roles:
        """What an assigned name is: by its value after the statement, or else by what is computed from it."""
        found = set(self.by_target.get((name, line), NONE))
        if isinstance(self.tree.body[0], ast.ClassDef):
            found |= {name} & PUBLIC
        if found or not depth:
            return frozenset(found)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign | ast.AugAssign) and node.lineno > line and mentions(node.value, name):
                for target in targets_of(node):
                    found |= self.of_target(target, node.lineno, depth - 1)
            elif isinstance(node, ast.Return) and node.value is not None and mentions(node.value, name):
                parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                for part in parts:
                    if mentions(part, name):
                        found |= self.by_node.get(id(part), NONE)
        return frozenset(found)


def targets_of(node: ast.Assign | ast.AugAssign) -> set[str]:
    """The names that an assignment changes."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {name for target in targets for name in stored(target)}


def mentions(node: ast.AST, name: str) -> bool:
    """Whether a name is used in an expression."""
    return any(getattr(one, "id", None) == name or getattr(one, "attr", None) == name for one in ast.walk(node))


@dataclass(frozen=True)
class Stage:
    """Where a right answer is watched: its inputs, how it is run on them, and the quantities that are known there."""

    inputs: Inputs
    run: Callable[[tuple[Any, ...], Inputs], dict[str, Any]]
    quantities: Quantities


@cache
def stage(exercise: str) -> Stage:
    """The plainest problem of a case; a layer lives the life that the checker has it live, whose steps are known."""
    case, task = CASES[exercise], EXERCISES.get(exercise)
    if task is not None and task.caller is not None and task.chain is not None:
        arguments = task.problem(ProblemDraw(1, "stage"), Problem(9, 5, eps=0.1))
        inputs = dict(zip(task.signature.parameters, arguments, strict=True))
        counts: Quantities = [(("N",), 9), (("D",), 5)]
        return Stage(
            inputs,
            lambda functions, given: dict(task.run(functions, arguments).arrays),
            counts + steps(task, arguments),
        )
    special = "low" if "low" in case.special else ""
    momentum = 0.3 if 0.3 in case.momenta else case.momenta[0]
    draw = Draw(case.shapes[0], 0.1 if 0.1 in case.epses else None, special, momentum)
    inputs = case.draw(np.random.default_rng(1502_03167), draw)
    found = case.quantities(inputs)
    if task is not None and task.chain is not None:
        names = task.signature.parameters
        found += steps(task, tuple(inputs[n] for n in names if inputs.get(n) is not None or n == "bias"))
    return Stage(inputs, case.run, found)


def steps(task: Exercise, arguments: tuple[Any, ...]) -> Quantities:
    """The steps of an exercise's chain by name, so that both speak the same language."""
    with np.errstate(all="ignore"):
        at = vars(task.steps.trace(arguments))
    found: Quantities = [((name,), value) for name, value in at.items() if elements(value) is not None]
    whole = [(names, np.asarray(value, dtype=np.float64)) for names, value in found]
    return found + [(names, 1 / value) for names, value in whole if np.all(value != 0)]


@cache
def notes_of(origin: Origin) -> Notes:
    """Run a right answer once and note the role of everything."""
    quantities = stage(origin.exercise).quantities
    known = Known(quantities)
    nodes = list(ast.walk(origin.tree))
    changed = copy.deepcopy(origin.tree)
    numbers = {id(node): number for number, node in enumerate(ast.walk(changed))}
    seen, after, outputs = observed(origin, changed, numbers)
    by_number = {number: known.of_all(values) for number, values in seen.items()}
    counts = [value for names, value in quantities if names == ("N",) and np.ndim(value) == 0 and value > 1]
    return Notes(
        origin.tree,
        {id(nodes[number]): found for number, found in by_number.items() if number < FAR},
        {key: known.of_all(values) for key, values in after.items()},
        by_number,
        seen,
        after,
        outputs,
        {name: known.roles(value) for name, value in outputs.items()},
        frozenset({"N"}) | (known.roles(counts[0]) if counts else NONE),
    )


def observed(
    origin: Origin, tree: ast.Module, numbers: dict[int, int]
) -> tuple[dict[int, list[Any]], dict[tuple[str, int], list[Any]], dict[str, Any]]:
    """Run a tree with notes: the values of its numbered expressions, of assigned names, and the outputs."""
    seen: dict[int, list[Any]] = defaultdict(list)
    after: dict[tuple[str, int], list[Any]] = defaultdict(list)

    def noted_value(number: int | None, value: Any) -> Any:
        if number is not None:
            seen[number].append(kept(value))
        return value

    def noted_name(name: str, line: int, value: Any) -> None:
        after[name, line].append(kept(value))

    setting = stage(origin.exercise)
    sources = [noting(tree, numbers)]
    for place, text in enumerate(origin.beside, start=1):
        step = ast.parse(text)
        ast.increment_lineno(step, FAR * place)  # so that its names are not mixed up with those of the changed step
        sources.append(noting(step, {id(node): FAR * place + n for n, node in enumerate(ast.walk(step))}))
    source = "\n\n".join(sources)
    given = {
        name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in setting.inputs.items()
    }
    outputs: dict[str, Any] = {}
    try:
        functions = origin.build(source, "<noted>", noted_value=noted_value, noted_name=noted_name)
        with limited():
            outputs = setting.run(functions, given)
    except (TooLong, Exception):
        pass  # what was noted until then counts
    return dict(seen), dict(after), {name: kept(value) for name, value in outputs.items()}


def noting(tree: ast.Module, numbers: dict[int, int]) -> str:
    """The source of a tree, its numbered expressions with a call around them that takes the note."""
    return ast.unparse(ast.fix_missing_locations(Noting(numbers).visit(tree)))


def kept(value: Any) -> Any:
    """A value that later steps cannot change."""
    if isinstance(value, np.ndarray):
        return value.copy()
    return copy.deepcopy(value) if isinstance(value, list) else value


class Noting(ast.NodeTransformer):
    """Wraps every expression, and follows every assignment, with a call that takes the note."""

    def __init__(self, numbers: dict[int, int]) -> None:
        self.numbers = numbers

    def visit(self, node: ast.AST) -> Any:
        """Wrap what has a value."""
        number = self.numbers.get(id(node))
        changed = super().visit(node)
        has_value = isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call | ast.Name | ast.Attribute | ast.Subscript)
        if has_value and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return ast.Call(ast.Name("noted_value", ast.Load()), [ast.Constant(number), changed], [])
        return changed

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """What is called is no quantity; the object of a method may be."""
        if isinstance(node.func, ast.Attribute):
            node.func.value = self.visit(node.func.value)
        node.args = [self.visit(one) for one in node.args]
        node.keywords = [self.visit(one) for one in node.keywords]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Only the body is run each time."""
        node.body = self.followed(node.body)
        node.decorator_list, node.returns = [], None
        for parameter in (*node.args.args, *node.args.kwonlyargs):
            parameter.annotation = None
        return node

    def visit_For(self, node: ast.For) -> ast.For:
        """A loop's body."""
        node.iter = self.visit(node.iter)
        node.body, node.orelse = self.followed(node.body), self.followed(node.orelse)
        return node

    def visit_If(self, node: ast.If) -> ast.If:
        """Both branches."""
        node.test = self.visit(node.test)
        node.body, node.orelse = self.followed(node.body), self.followed(node.orelse)
        return node

    def visit_While(self, node: ast.While) -> ast.While:
        """A loop's body."""
        node.test = self.visit(node.test)
        node.body, node.orelse = self.followed(node.body), self.followed(node.orelse)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        """The value; the annotation is no value."""
        node.value = self.visit(node.value) if node.value else None
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        """Leave it as it is."""
        return node

    def followed(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Statements, each assignment with a note behind it."""
        found = []
        for statement in body:
            line, targets = statement.lineno, []
            if isinstance(statement, ast.Assign):
                targets = [leaf for target in statement.targets for leaf in leaves(target)]
            elif isinstance(statement, ast.AugAssign | ast.AnnAssign):
                targets = leaves(statement.target)
            notes = [note_after(target, line) for target in targets]
            found += [self.visit(statement), *notes]
        return found


def leaves(target: ast.expr) -> list[ast.expr]:
    """The names and attributes that a target changes."""
    if isinstance(target, ast.Tuple | ast.List):
        return [leaf for one in target.elts for leaf in leaves(one)]
    if isinstance(target, ast.Starred | ast.Subscript):
        return leaves(target.value)
    return [target] if isinstance(target, ast.Name | ast.Attribute) else []


def note_after(target: ast.expr, line: int) -> ast.stmt:
    """A call that notes what a name holds now."""
    name = next(iter(stored(target)))
    value = ast.parse(ast.unparse(target), mode="eval").body
    arguments: list[ast.expr] = [ast.Constant(name), ast.Constant(line), value]
    return ast.Expr(ast.Call(ast.Name("noted_name", ast.Load()), arguments, []))


# ------------------------------------------------------------------------------------------------ roles by value


class Known:
    """The quantities of one problem, to look values up in."""

    def __init__(self, quantities: Quantities) -> None:
        self.quantities = [(frozenset(names), elements(value)) for names, value in quantities]
        self.found: dict[bytes, Roles] = {}

    def of_all(self, values: list[Any]) -> Roles:
        """The roles that a value has at every visit."""
        found = self.roles(values[0])
        for value in values[1:]:
            if not found:
                break
            found &= self.roles(value)
        return found

    def roles(self, value: Any, depth: int = 2) -> Roles:
        """The roles of a value: of every quantity that holds all its elements; of a cache, those of its parts."""
        if isinstance(value, dict):
            value = tuple(value.values())
        if isinstance(value, tuple) and depth and any(isinstance(part, np.ndarray) for part in value):
            return NONE.union(*(self.roles(part, depth - 1) for part in value))
        numbers = elements(value)
        if numbers is None or not 0 < numbers.size < 5000:
            return NONE
        key = numbers.tobytes()
        if key not in self.found:
            self.found[key] = NONE.union(*(names for names, known in self.quantities if within(numbers, known)))
        return self.found[key]


def elements(value: Any) -> np.ndarray | None:
    """The distinct absolute values, sorted; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, np.ndarray | np.generic | int | float | list | tuple):
        return None
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return np.unique(np.abs(numbers[np.isfinite(numbers)]))


def within(numbers: np.ndarray, known: np.ndarray | None) -> bool:
    """Whether each number is one of those known; zeros and ones say nothing."""
    if known is None or not known.size:
        return False
    telling = numbers[(numbers > NEAR) & (np.abs(numbers - 1) > NEAR)]
    if not telling.size:
        return False
    near = np.searchsorted(known, telling)
    below, above = known[np.maximum(near - 1, 0)], known[np.minimum(near, len(known) - 1)]
    nearest = np.minimum(np.abs(telling - below), np.abs(telling - above))
    return bool(np.all(nearest <= 1e-6 * telling))
