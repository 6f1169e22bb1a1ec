"""Which slips do people make when they write these functions?

An operator looks at one node of a function's syntax tree and yields what a slip would put in its place. They were
fixed before the checker's diagnosis was tuned, and are not changed to suit it. What a person would never write by
mistake (a name that is not there yet, a call with no arguments) is left out, and so is the student's own courtesy: a
guard that only raises, a docstring, an annotation.

==========================  ======================================================================================
``operator_swapped``        a + b, a - b; a * b, a / b; a ** b for a * b
``operand_dropped``         a op b becomes a, or b
``operands_exchanged``      a - b becomes b - a, a / b becomes b / a
``bracket_moved``           (a - b) / c becomes a - b / c; a / (b * c) becomes a / b * c; c * (a + b) becomes c * a + b
``root_narrowed``           sqrt(a + b) becomes sqrt(a) + b
``sign_changed``            -a becomes a; an assigned or returned value changes its sign
``constant_changed``        0.5, 2, 1.5, 3, 1 and the like become what they are mistaken for, or negative
``default_changed``         another default for eps, momentum or h
``axis_changed``            another axis, or none
``keyword_changed``         ddof, keepdims, dtype dropped or put in
``call_removed``            np.sqrt(a), a.mean(axis=0), np.array(a), a.copy(), a.reshape(...) become a
``call_swapped``            mean and sum, var and std, sqrt and square, zeros and ones
``name_swapped``            another local or parameter of the same function
``shape_swapped``           x.shape[0] and x.shape[1]; len(x) becomes x.shape[1]; N, D = x.shape becomes D, N = x.shape
``layout_changed``          a.T becomes a; axes of a transposition, sizes of a reshape, letters of an einsum exchanged;
                            a[:, None] and a[None, :]
``statement_deleted``       a statement that changes what is there already
``returned_exchanged``      the order of a returned tuple
``augmented_plain``         a += b becomes a = b; a += b becomes a -= b; a = a + b becomes a += b (in place)
``branch_negated``          if a: becomes if not a:
==========================  ======================================================================================
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

REDUCTIONS = {"mean": "sum", "sum": "mean", "var": "std", "std": "var"}
SWAPPED_CALLS = REDUCTIONS | {"average": "sum", "sqrt": "square", "square": "sqrt", "zeros": "ones", "ones": "zeros"}
TRANSPARENT = {
    *("sqrt", "square", "abs", "exp", "reciprocal", "negative", "mean", "sum", "var", "std", "average"),
    *("array", "asarray", "copy", "astype", "reshape", "ravel", "transpose", "tile", "squeeze", "float", "diag"),
    *("power", "cumsum", "broadcast_to", "repeat", "fsum"),
}
"""Calls that a person forgets: what is left is the first argument, or the object of the method."""

MISTAKEN: dict[float, tuple[float, ...]] = {
    0.5: (2.0, -0.5, 1.0, 1.5),
    -0.5: (0.5, -2.0, -1.0, -1.5),
    2: (1, 3, 0.5, -2),
    3: (2, 1, 1.5),
    1: (2, 0, -1),
    1.5: (0.5, 1.0, -1.5, 2.0),
    -1.5: (-0.5, 1.5, -1.0),
    -1: (1,),
    0: (1,),
}

DEFAULTS: dict[str, tuple[object, ...]] = {
    "eps": (1e-3, 1e-8, 0.0),
    "epsilon": (1e-3, 1e-8, 0.0),
    "momentum": (0.9, 0.01, 0.99),
    "h": (1e-2, 1.0),
}

LAYOUT = {"reshape", "transpose", "tile", "repeat", "expand_dims", "swapaxes", "moveaxis", "broadcast_to", "squeeze"}

UNWANTED = {"self", "cls", "cache", "np", "numpy", "math", "_"}
"""Names that nobody mixes up with a number or an array."""


@dataclass(frozen=True)
class Scope:
    """What an operator knows of the function around a node."""

    bound: dict[str, int]
    """Parameters and locals, and the line from which each has a value."""
    inner: frozenset[str]
    """The variables of comprehensions, which have a value only inside."""
    returns: frozenset[int]
    """The identities of the nodes that a function returns, and of values that are assigned."""
    layout: frozenset[int]
    """The identities of numbers that say where, not how much: subscripts, axes, sizes."""


Operator = Callable[[ast.AST, Scope], Iterator[ast.AST]]
OPERATORS: dict[str, Operator] = {}


def operator(slip: Operator) -> Operator:
    """Enter an operator under its name."""
    OPERATORS[slip.__name__] = slip
    return slip


def scope_of(function: ast.AST) -> Scope:
    """The names that have a value, from which line on, and the values that are assigned or returned."""
    bound: dict[str, int] = {}
    values = set()
    inside = [one.target for one in ast.walk(function) if isinstance(one, ast.comprehension)]
    local = {id(name): name.id for target in inside for name in ast.walk(target) if isinstance(name, ast.Name)}
    for node in ast.walk(function):
        if id(node) in local:
            continue
        if isinstance(node, ast.arg) and node.arg not in UNWANTED:
            bound[node.arg] = 0
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id not in UNWANTED:
            bound[node.id] = min(node.lineno, bound.get(node.id, node.lineno))
        elif isinstance(node, ast.Return | ast.Assign) and node.value is not None:
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            values.update(map(id, parts))
    return Scope(bound, frozenset(local.values()), frozenset(values), frozenset(layout_of(function)))


def layout_of(function: ast.AST) -> Iterator[int]:
    """The numbers in subscripts, axes and sizes."""
    for node in ast.walk(function):
        parts: list[ast.AST] = [node.slice] if isinstance(node, ast.Subscript) else []
        if isinstance(node, ast.keyword) and node.arg == "axis":
            parts = [node.value]
        if isinstance(node, ast.Call) and called(node) in LAYOUT:
            parts = list(node.args)
        if isinstance(node, ast.Call) and axis_of(node) is not None:
            parts = [axis_of(node) or node]
        yield from (id(one) for part in parts for one in ast.walk(part) if isinstance(one, ast.Constant))


# ------------------------------------------------------------------------------------------------ expressions


def binary(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.BinOp:
    """Left op right."""
    return ast.BinOp(left=left, op=op, right=right)


@operator
def operator_swapped(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Plus for minus, times for divided by, times for to the power of."""
    others = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
    if isinstance(node, ast.BinOp) and type(node.op) in others:
        yield binary(node.left, others[type(node.op)](), node.right)


@operator
def operand_dropped(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """One side of an operation forgotten."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.Pow):
        yield node.left
        if not isinstance(node.op, ast.Pow):
            yield node.right


@operator
def operands_exchanged(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """The two sides of a difference or a quotient exchanged."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Div):
        yield binary(node.right, node.op, node.left)


@operator
def bracket_moved(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A bracket forgotten, so that the operation binds to one operand only."""
    if not isinstance(node, ast.BinOp):
        return
    left, op, right = node.left, node.op, node.right
    sums, products = ast.Add | ast.Sub, ast.Mult | ast.Div
    if isinstance(op, products | ast.Pow) and isinstance(left, ast.BinOp) and isinstance(left.op, sums):
        yield binary(left.left, left.op, binary(left.right, op, right))
        if isinstance(op, ast.Pow):
            yield binary(binary(left.left, op, right), left.op, left.right)
    if isinstance(op, ast.Mult) and isinstance(right, ast.BinOp) and isinstance(right.op, sums):
        yield binary(binary(left, op, right.left), right.op, right.right)
    if isinstance(op, ast.Div) and isinstance(right, ast.BinOp) and isinstance(right.op, products | sums):
        yield binary(binary(left, op, right.left), right.op, right.right)
    if isinstance(op, ast.Sub) and isinstance(right, ast.BinOp) and isinstance(right.op, sums):
        yield binary(binary(left, op, right.left), right.op, right.right)


@operator
def root_narrowed(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """The root closed too early."""
    if called(node) == "sqrt" and isinstance(node, ast.Call) and len(node.args) == 1:
        inside = node.args[0]
        if isinstance(inside, ast.BinOp) and isinstance(inside.op, ast.Add | ast.Div):
            yield binary(ast.Call(func=node.func, args=[inside.left], keywords=[]), inside.op, inside.right)


@operator
def sign_changed(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A minus forgotten, or one too many."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    elif isinstance(node, ast.BinOp | ast.Call) and id(node) in scope.returns:
        yield ast.UnaryOp(op=ast.USub(), operand=node)


@operator
def constant_changed(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A number mistaken for another."""
    if id(node) in scope.layout or not isinstance(node, ast.Constant):
        return
    if type(node.value) in (int, float) and node.value in MISTAKEN:
        for value in MISTAKEN[node.value]:
            yield ast.Constant(type(node.value)(value) if value == int(value) else value)


@operator
def default_changed(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Another default value."""
    if isinstance(node, ast.arguments) and node.defaults:
        first = len(node.args) - len(node.defaults)
        for at, parameter in enumerate(node.args[first:]):
            for value in DEFAULTS.get(parameter.arg, ()):
                changed = copy.deepcopy(node)
                changed.defaults[at] = ast.Constant(value)
                yield changed


# ------------------------------------------------------------------------------------------------ calls


def called(node: ast.AST) -> str:
    """The last part of the name of what is called."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def of_module(node: ast.Call) -> bool:
    """Whether it is a function of a module, np.sum(a), and not a method, a.sum()."""
    return not isinstance(node.func, ast.Attribute) or (
        isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy", "math")
    )


def renamed(node: ast.Call, name: str) -> ast.Call:
    """The same call of another function."""
    changed = copy.deepcopy(node)
    if isinstance(changed.func, ast.Attribute):
        changed.func.attr = name
    else:
        changed.func = ast.Name(id=name, ctx=ast.Load())
    return changed


def axis_of(node: ast.Call) -> ast.expr | None:
    """The axis that a reduction is given, by keyword or by position."""
    if called(node) not in {*REDUCTIONS, "average", "tile", "repeat"} or called(node) in ("tile", "repeat"):
        return None
    for keyword in node.keywords:
        if keyword.arg == "axis":
            return keyword.value
    place = 1 if of_module(node) else 0
    return node.args[place] if len(node.args) > place else None


@operator
def axis_changed(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Another axis, or the axis forgotten."""
    axis = axis_of(node) if isinstance(node, ast.Call) else None
    if axis is None or not isinstance(node, ast.Call):
        return
    for other in other_axes(axis):
        changed = copy.deepcopy(node)
        for keyword in changed.keywords:
            if keyword.arg == "axis":
                keyword.value = other
        if not any(keyword.arg == "axis" for keyword in changed.keywords):
            changed.args[1 if of_module(node) else 0] = other
        yield changed


def other_axes(axis: ast.expr) -> Iterator[ast.expr]:
    """What an axis, or a tuple of axes, is mistaken for."""
    yield ast.Constant(None)
    if isinstance(axis, ast.Constant) and type(axis.value) is int:
        yield ast.Constant({0: 1, 1: 0, -1: 0, 2: 1}.get(axis.value, 0))
    if isinstance(axis, ast.Tuple):
        for left_out in axis.elts:
            yield ast.Tuple(elts=[one for one in axis.elts if one is not left_out], ctx=ast.Load())
        yield ast.Constant(0)


@operator
def keyword_changed(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A keyword forgotten or put in: ddof, keepdims, dtype."""
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        if keyword.arg in ("ddof", "keepdims", "dtype", "bias"):
            changed = copy.copy(node)
            changed.keywords = [one for one in node.keywords if one is not keyword]
            yield changed
    given = {keyword.arg for keyword in node.keywords}
    if called(node) in ("var", "std") and "ddof" not in given:
        changed = copy.copy(node)
        changed.keywords = [*node.keywords, ast.keyword(arg="ddof", value=ast.Constant(1))]
        yield changed


@operator
def call_removed(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A function forgotten, its argument left."""
    if isinstance(node, ast.Call) and called(node) in TRANSPARENT:
        if of_module(node):
            if node.args and isinstance(node.args[0], ast.expr) and not isinstance(node.args[0], ast.Starred):
                yield node.args[0]
        elif isinstance(node.func, ast.Attribute):
            yield node.func.value


@operator
def call_swapped(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A function mistaken for its neighbour."""
    if isinstance(node, ast.Call) and called(node) in SWAPPED_CALLS:
        yield renamed(node, SWAPPED_CALLS[called(node)])


# ------------------------------------------------------------------------------------------------ names and layout


@operator
def name_swapped(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Another name of the same function that has a value by then."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in scope.bound:
        for name, line in sorted(scope.bound.items()):
            if name != node.id and line < node.lineno:
                yield ast.Name(id=name, ctx=ast.Load())
    elif own_attribute(node) and isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        for pair in (("gamma", "beta"), ("running_mean", "running_var"), ("dgamma", "dbeta"), ("eps", "momentum")):
            if node.attr in pair:
                changed = copy.copy(node)
                changed.attr = pair[1 - pair.index(node.attr)]
                yield changed


def own_attribute(node: ast.AST) -> bool:
    """Whether it is ``self.something``."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


@operator
def shape_swapped(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """The number of samples mistaken for that of features."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
        if isinstance(node.slice, ast.Constant) and type(node.slice.value) is int:
            for other in {0: (1,), 1: (0,), 2: (1, 3), 3: (2, 1)}.get(node.slice.value, ()):
                yield ast.Subscript(value=node.value, slice=ast.Constant(other), ctx=ast.Load())
    elif called(node) == "len" and isinstance(node, ast.Call):
        yield part_of_shape(node.args[0], 1)
    elif isinstance(node, ast.Attribute) and node.attr == "size" and isinstance(node.ctx, ast.Load):
        yield part_of_shape(node.value, 0)
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
        target = node.targets[0]
        if isinstance(target, ast.Tuple):
            for elements in exchanged(target.elts):
                yield ast.Assign(targets=[ast.Tuple(elts=elements, ctx=ast.Store())], value=node.value, lineno=0)


def part_of_shape(value: ast.expr, axis: int) -> ast.expr:
    """value.shape[axis]."""
    shape = ast.Attribute(value=value, attr="shape", ctx=ast.Load())
    return ast.Subscript(value=shape, slice=ast.Constant(axis), ctx=ast.Load())


def exchanged(elements: list[ast.expr]) -> Iterator[list[ast.expr]]:
    """The same list with two neighbours exchanged."""
    for at, _ in enumerate(pairwise(elements)):
        changed = list(elements)
        changed[at], changed[at + 1] = changed[at + 1], changed[at]
        yield changed


@operator
def layout_changed(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Rows for columns, one axis for another."""
    if isinstance(node, ast.Attribute) and node.attr == "T" and isinstance(node.ctx, ast.Load):
        yield node.value
    elif called(node) in ("transpose", "reshape") and isinstance(node, ast.Call):
        first = 1 if of_module(node) else 0
        for elements in exchanged(node.args[first:]):
            changed = copy.copy(node)
            changed.args = [*node.args[:first], *elements]
            yield changed
        if len(node.args) > first and isinstance(node.args[first], ast.Tuple):
            for elements in exchanged(node.args[first].elts):  # type: ignore[attr-defined]
                changed = copy.copy(node)
                changed.args = [*node.args[:first], ast.Tuple(elts=elements, ctx=ast.Load()), *node.args[first + 1 :]]
                yield changed
    elif called(node) == "einsum" and isinstance(node, ast.Call) and isinstance(node.args[0], ast.Constant):
        for subscripts in other_subscripts(str(node.args[0].value)):
            changed = copy.copy(node)
            changed.args = [ast.Constant(subscripts), *node.args[1:]]
            yield changed
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and isinstance(node.ctx, ast.Load):
        for elements in exchanged(node.slice.elts):
            if ast.dump(elements[0]) != ast.dump(elements[1]):
                yield ast.Subscript(value=node.value, slice=ast.Tuple(elts=elements, ctx=ast.Load()), ctx=ast.Load())


def other_subscripts(subscripts: str) -> Iterator[str]:
    """An einsum whose result keeps another axis, or whose factor runs along another one."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    if not arrow:
        return
    letters = sorted(set(inputs) - {",", "."})
    for letter in letters:
        if len(output) == 1 and letter != output:
            yield f"{inputs}->{letter}"
    for one, other in combinations(letters, 2):
        factors = inputs.split(",")
        for at, factor in enumerate(factors):
            if factor in (one, other):
                swapped = [*factors[:at], other if factor == one else one, *factors[at + 1 :]]
                yield f"{','.join(swapped)}->{output}"


# ------------------------------------------------------------------------------------------------ statements


@operator
def statement_deleted(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A statement forgotten that changes what has a value already."""
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        yield ast.Pass()
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        again = isinstance(target, ast.Name) and scope.bound.get(target.id, node.lineno) < node.lineno
        if again or isinstance(target, ast.Subscript | ast.Attribute):
            yield ast.Pass()


@operator
def returned_exchanged(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """What is returned, in another order."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        for elements in exchanged(node.value.elts):
            yield ast.Return(value=ast.Tuple(elts=elements, ctx=ast.Load()))


@operator
def augmented_plain(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """= for +=, -= for +=, and += where a new array was meant."""
    others = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
    if isinstance(node, ast.AugAssign):
        yield ast.Assign(targets=[node.target], value=node.value, lineno=0)
        if type(node.op) in others:
            yield ast.AugAssign(target=node.target, op=others[type(node.op)](), value=node.value)
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Name | ast.Attribute) and ast.unparse(target) == ast.unparse(node.value.left):
            yield ast.AugAssign(target=target, op=node.value.op, value=node.value.right)


@operator
def branch_negated(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """The two branches exchanged."""
    if isinstance(node, ast.If | ast.IfExp):
        changed = copy.copy(node)
        changed.test = ast.UnaryOp(op=ast.Not(), operand=node.test)
        yield changed
