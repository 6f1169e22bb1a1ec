"""What is the value of a tree?  The same walk for drawn samples and for moments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from . import tex
from .arithmetic import Dual, LeavesAlgebra, apply, digits50, inverse, is_number, power, root, slope_of, value_of
from .given import RANGES, SIZES, kind_of
from .polynomial import Index
from .tex import Num, Sym, TexError


@dataclass(frozen=True)
class Definition:
    """`name` with `letters` as indices is `body`; a function has slots and arguments besides."""

    label: str
    name: str
    letters: tuple[str, ...]
    body: tex.Node
    slots: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()

    @property
    def sorts(self) -> tuple[str, ...]:
        return tuple(sort_of(letter) for letter in self.letters)

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        return self.name, self.sorts


def sort_of(letter: str) -> str:
    letter = letter.rstrip("'")
    if letter not in RANGES:
        raise TexError(f"the index {letter} has no range: use one of {', '.join(RANGES)}")
    return RANGES[letter]


Replacement = Callable[[tuple[Index, ...]], object]


@dataclass
class World:
    """Everything a symbol may mean: definitions, what conditions and functions put in their place, drawn values."""

    domain: object
    definitions: Mapping[tuple, Definition]
    functions: Mapping[str, Definition]
    replaced: dict[str, Replacement] = field(default_factory=dict)
    outside: World | None = None  # where the free symbols of a function body are looked up
    seed: tuple[str, tuple[Index, ...]] | None = None  # what ∂/∂ moves
    held: frozenset[str] = frozenset()  # what an evaluation bar keeps constant
    freed: frozenset[str] = frozenset()  # drawn although they are defined: the step claims to hold for any value
    used: set[str] = field(default_factory=set)  # labels of the definitions that were needed
    memo: dict = field(default_factory=dict)

    def lookup(self, name: str, indices: tuple[Index, ...]):
        key = name, indices
        if key not in self.memo:
            self.memo[key] = None
            value = self._value(name, indices)
            if name in self.held:
                value = value_of(value)
            if self.seed and self.seed[0] == name and len(self.seed[1]) == len(indices):
                value = Dual(value_of(value), self._delta_to_seed(indices))
            self.memo[key] = value
        if self.memo[key] is None:
            raise TexError(f"the definition of {name} leads back to itself")
        return self.memo[key]

    def _delta_to_seed(self, indices):
        slope: object = Fraction(1)
        for index, moved in zip(indices, self.seed[1], strict=True):
            slope = slope * self.domain.delta(index, moved)
        return slope

    def _value(self, name: str, indices: tuple[Index, ...]):
        if name in self.replaced:
            return self.replaced[name](indices)
        definition = self.definition(name, indices)
        if definition is not None:
            self.used.add(definition.label)
            return evaluate(definition.body, Scope(self, dict(zip(definition.letters, indices, strict=True))))
        kind = self.kind(name, indices)
        if kind is None:
            raise TexError(
                f"unknown symbol {pretty(name, indices)}: no definition above introduces it, "
                "and given.py does not declare it free"
            )
        if self.outside is not None:
            return self.outside.lookup(name, indices)
        return self.domain.free(name, kind, indices)

    def definition(self, name: str, indices: tuple[Index, ...]) -> Definition | None:
        if name in self.freed:
            return None
        sorts = sorts_of(indices)
        exact = self.definitions.get((name, sorts))
        if exact is not None or None not in sorts:
            return exact if not _before_the_first(indices) else None
        for definition in self.definitions.values():  # x_1 has no sort of its own
            if definition.name == name and len(definition.letters) == len(indices):
                fits = all(have in (None, want) for have, want in zip(sorts, definition.sorts, strict=True))
                if fits and not _before_the_first(indices):
                    return definition
        return None

    def kind(self, name: str, indices: tuple[Index, ...]) -> str | None:
        """How the symbol is drawn, if it is free or freed."""
        if name in self.freed:
            return "data" if indices else "real"
        return kind_of(name, sorts_of(indices))

    def knows(self, name: str, indices: tuple[Index, ...]) -> bool:
        return (
            name in self.replaced or self.definition(name, indices) is not None or self.kind(name, indices) is not None
        )

    def changed(self, **what) -> World:
        return replace(self, memo={}, **what)


def sorts_of(indices: tuple[Index, ...]) -> tuple[str | None, ...]:
    return tuple(index.sort for index in indices)


def _before_the_first(indices: tuple[Index, ...]) -> bool:
    """A recursion starts from the value with index 0, which is free."""
    return any(isinstance(index.value, int) and index.value < 1 for index in indices)


def pretty(name: str, indices: tuple[Index, ...] = ()) -> str:
    return name + ("_{" + ",".join(str(index.value) for index in indices) + "}" if indices else "")


@dataclass(frozen=True)
class Scope:
    world: World
    letters: Mapping[str, Index]
    bare: tuple[Index, ...] = ()  # the sample that a whole batch without index, BN(a x), stands for

    def bind(self, letters: Mapping[str, Index]) -> Scope:
        return Scope(self.world, {**self.letters, **letters}, self.bare)


def evaluate(node: tex.Node, scope: Scope):
    return RULES[type(node)](node, scope)


def _symbol(node: Sym, scope: Scope):
    world = scope.world
    if node.name == "\\pi":
        return +digits50.pi
    indices = tuple(index_value(index, scope) for index in node.indices)
    if node.name == "\\delta" and len(indices) == 2:
        return world.domain.delta(*indices)
    if not indices and node.name in scope.letters:
        return _letter_as_number(node.name, scope.letters[node.name])
    if not indices and scope.bare and _is_whole_batch(node.name, scope):
        indices = scope.bare
    if not world.knows(node.name, indices) and world.knows(node.name + "^2", indices):
        return root(world.lookup(node.name + "^2", indices))  # σ where σ² was defined
    return world.lookup(node.name, indices)


def _letter_as_number(letter: str, index: Index):
    if not isinstance(index.value, int):
        raise LeavesAlgebra(f"the index {letter} as a number")
    return Fraction(index.value)


def _is_whole_batch(name: str, scope: Scope) -> bool:
    return not scope.world.knows(name, ()) and scope.world.knows(name, scope.bare)


def index_value(node: tex.Node, scope: Scope) -> Index:
    if isinstance(node, Sym) and not node.indices:
        if node.name not in scope.letters:
            raise TexError(f"the index {node.name} is bound by no sum and does not stand on the left")
        return scope.letters[node.name]
    if isinstance(node, Num):
        return Index(int(node.value), None)
    sorts = {scope.letters[n.name].sort for n in tex.walk(node) if isinstance(n, Sym) and n.name in scope.letters}
    value = evaluate(node, scope)
    if getattr(value, "denominator", 0) != 1:
        raise TexError("an index that is not a whole number")
    return Index(int(value), sorts.pop() if len(sorts) == 1 else None)


def _power(node: tex.Pow, scope: Scope):
    exponent = evaluate(node.exponent, scope)
    base = node.base
    if isinstance(base, Sym) and isinstance(exponent, Fraction):
        indices = tuple(index_value(index, scope) for index in base.indices)
        if not scope.world.knows(base.name, indices) and scope.world.knows(base.name + "^2", indices):
            return power(scope.world.lookup(base.name + "^2", indices), exponent / 2)
    return power(evaluate(base, scope), exponent)


def _add(node: tex.Add, scope: Scope):
    total = evaluate(node.terms[0], scope)
    for term in node.terms[1:]:
        total = total + evaluate(term, scope)
    return total


def _multiply(node: tex.Mul, scope: Scope):
    result = evaluate(node.factors[0], scope)
    for factor in node.factors[1:]:
        result = result * evaluate(factor, scope)
    return result


def _divide(node: tex.Div, scope: Scope):
    return evaluate(node.above, scope) * inverse(evaluate(node.below, scope))


def _sum(node: tex.Sum, scope: Scope):
    for binder in node.binders:
        if binder.letter in scope.letters:
            raise TexError(f"the index {binder.letter} is summed and used outside of its sum")
    if scope.world.domain.general:
        return _sum_of_moments(node, scope)
    return _sum_of_samples(node, scope)


def _range(binder: tex.Binder, scope: Scope) -> tuple[str | None, object]:
    """(sort, last value) of a summed index."""
    if binder.upper is None:
        sort = sort_of(binder.letter)
        return sort, evaluate(Sym(sort), scope)
    sort = binder.upper.name if isinstance(binder.upper, Sym) and binder.upper.name in SIZES else sort_of(binder.letter)
    return sort, evaluate(binder.upper, scope)


def _sum_of_samples(node: tex.Sum, scope: Scope):
    letters = [binder.letter for binder in node.binders]
    ranges = []
    for binder in node.binders:
        sort, last = _range(binder, scope)
        first = evaluate(binder.lower, scope) if binder.lower is not None else 1
        values = scope.world.domain.values(sort, int(first), last)
        if binder.other_than is not None:
            other = index_value(binder.other_than, scope)
            values = [index for index in values if index.value != other.value]
        ranges.append(values)

    def body(position):
        return evaluate(node.body, scope.bind(dict(zip(letters, position, strict=True))))

    if node.product:
        result: object = Fraction(1)
        for index in ranges[0]:
            result = result * body((index,))
        return result
    return scope.world.domain.sum(ranges, body)


def _sum_of_moments(node: tex.Sum, scope: Scope):
    if node.product:
        raise LeavesAlgebra("a product over samples")
    labels = {}
    for binder in node.binders:
        sort, _ = _range(binder, scope)
        whole = isinstance(binder.upper, Sym | None) and (binder.lower is None or binder.lower == Num(Fraction(1)))
        if not whole or (binder.upper is not None and sort != binder.upper.name):
            raise LeavesAlgebra("a sum over part of the samples")
        labels[binder.letter] = scope.world.domain.label(binder.letter, sort)
    total = scope.world.domain.sum(tuple(labels.values()), evaluate(node.body, scope.bind(labels)))
    for binder in node.binders:
        if binder.other_than is not None:  # Σ_{k≠i} f(k) = Σ_k f(k) − f(i)
            if len(node.binders) > 1:
                raise LeavesAlgebra("k ≠ i in a double sum")
            total = total + -evaluate(node.body, scope.bind({binder.letter: index_value(binder.other_than, scope)}))
    return total


def _partial(node: tex.Partial, scope: Scope):
    world = scope.world
    if world.seed is not None:
        raise TexError("second derivatives are not in the subset")
    name, indices = _symbol_of(node.by, scope)
    held = frozenset(_symbol_of(symbol, scope)[0] for symbol in node.held)
    moved = Scope(world.changed(seed=(name, indices), held=held), scope.letters, scope.bare)
    if not world.knows(name, indices):
        raise TexError(f"unknown symbol {pretty(name, indices)} below ∂")
    of = node.of if node.of != Sym("L") else _loss(indices)
    return slope_of(evaluate(of, moved))


def _symbol_of(node: tex.Node, scope: Scope) -> tuple[str, tuple[Index, ...]]:
    """The symbol below a ∂ or an evaluation bar; σ² is one."""
    squared = isinstance(node, tex.Pow) and node.exponent == Num(Fraction(2))
    symbol = node.base if squared else node
    if not isinstance(symbol, Sym):
        raise TexError("∂ by something that is not a symbol")
    return symbol.name + ("^2" if squared else ""), tuple(index_value(index, scope) for index in symbol.indices)


def _loss(moved: tuple[Index, ...]) -> tex.Node:
    """L = Σ g y has the upstream gradient g, which is all that a gradient can see of L."""
    sorts = {index.sort for index in moved}
    letters = "nchw" if sorts & {"C", "H", "W"} else "ij" if "D" in sorts else "i"
    primed = tuple(letter + "''" for letter in letters)
    indices = tuple(Sym(letter) for letter in primed)
    return tex.Sum(tuple(tex.Binder(letter) for letter in primed), tex.Mul((Sym("g", indices), Sym("y", indices))))


# ------------------------------------------------------------------------------------------------------- functions


def _call(node: tex.Call, scope: Scope):
    if node.name in ("max", "min"):
        return _extreme(node, scope)
    if node.name in ("exp", "log", "tanh"):
        if node.slots or len(node.arguments) != 1 or node.primes:
            raise TexError(f"{node.name} takes one argument")
        return apply(node.name, evaluate(node.arguments[0], scope))
    function = scope.world.functions.get(node.name)
    if function is None:
        raise TexError(f"unknown function {node.name}: no definition above introduces it")
    if node.primes > 1 or (node.primes and function.letters):
        raise TexError("only the first derivative of a function of one number")
    scope.world.used.add(function.label)
    if node.primes:
        at = evaluate(node.arguments[0], scope)
        if isinstance(at, Dual):
            raise TexError("second derivatives are not in the subset")
        inner = _inside_function(function, node, scope, {function.arguments[0]: Dual(at, Fraction(1))})
        return slope_of(evaluate(function.body, Scope(inner, {})))
    indices = tuple(index_value(index, scope) for index in call_indices(node, function))
    if len(indices) != len(function.letters):
        raise TexError(f"{node.name} is defined with {len(function.letters)} indices")
    inner = _inside_function(function, node, scope, {})
    return evaluate(function.body, Scope(inner, dict(zip(function.letters, indices, strict=True))))


def whole_batches(node: tex.Node, functions: Mapping[str, Definition]) -> bool:
    """Does a function of the batch stand there without an index?"""
    calls = (part for part in tex.walk(node) if isinstance(part, tex.Call))
    return any(not call.indices and call.name in functions and functions[call.name].letters for call in calls)


def call_indices(node: tex.Call, function: Definition | None) -> tuple[tex.Node, ...]:
    """BN(a x) = BN(x) without index means: for every i."""
    if node.indices or function is None:
        return node.indices
    return tuple(Sym(letter) for letter in function.letters)


def _inside_function(function: Definition, node: tex.Call, scope: Scope, values: dict[str, object]) -> World:
    """The world in which the body is evaluated: slots and arguments replaced by what stands in the call."""
    given = dict(zip(function.slots, node.slots, strict=False)) | dict(
        zip(function.arguments, node.arguments, strict=False)
    )
    if len(node.arguments) != len(function.arguments) or len(node.slots) not in (0, len(function.slots)):
        raise TexError(f"{node.name} takes {len(function.slots)} below and {len(function.arguments)} in brackets")
    letters = [index.name for index in call_indices(node, function) if isinstance(index, Sym)]
    replaced: dict[str, Replacement] = {}
    for name, expression in given.items():
        if name in values:
            replaced[name] = lambda indices, value=values[name]: value
        else:
            replaced[name] = _argument(expression, letters, scope)
    world = scope.world
    free_here = {name: rule for name, rule in world.replaced.items() if name not in replaced}
    return World(
        world.domain,
        world.definitions,
        world.functions,
        {**free_here, **replaced},
        world,
        freed=world.freed,
        used=world.used,
    )


def _argument(expression: tex.Node, letters: list[str], scope: Scope) -> Replacement:
    def value(indices: tuple[Index, ...]):
        if not indices:
            return evaluate(expression, scope)
        there = dict(zip(letters, indices, strict=False))
        return evaluate(expression, Scope(scope.world, {**scope.letters, **there}, indices))

    return value


def _extreme(node: tex.Call, scope: Scope):
    values = [evaluate(argument, scope) for argument in node.arguments]
    if not all(is_number(value_of(value)) for value in values):
        raise LeavesAlgebra(f"{node.name} of samples")
    best = values[0]
    for value in values[1:]:
        difference = value_of(value) + -value_of(best)
        if (difference > 0) == (node.name == "max") and difference != 0:
            best = value
    return best


RULES: dict[type, Callable] = {
    Num: lambda node, scope: node.value,
    Sym: _symbol,
    tex.Neg: lambda node, scope: -evaluate(node.of, scope),
    tex.Add: _add,
    tex.Mul: _multiply,
    tex.Div: _divide,
    tex.Pow: _power,
    tex.Root: lambda node, scope: root(evaluate(node.of, scope), node.degree),
    tex.Abs: lambda node, scope: apply("abs", evaluate(node.of, scope)),
    tex.Call: _call,
    tex.Sum: _sum,
    tex.Partial: _partial,
}


# --------------------------------------------------------------------------------------------------- free indices


def free_letters(node: tex.Node, functions: Mapping[str, Definition]) -> set[str]:
    """The indices for which an equation is claimed: those that no sum binds."""
    if isinstance(node, tex.Sum):
        bound = {binder.letter for binder in node.binders}
        letters = free_letters(node.body, functions) - bound
        for binder in node.binders:
            for bound_by in (binder.lower, binder.upper, binder.other_than):
                if bound_by is not None:
                    letters |= _index_letters(bound_by)
        return letters - bound
    letters = set()
    if isinstance(node, Sym):
        for index in node.indices:
            letters |= _index_letters(index)
        return letters
    if isinstance(node, tex.Call):
        for index in call_indices(node, functions.get(node.name)):
            letters |= _index_letters(index)
    for value in vars(node).values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, tex.Node):
                letters |= free_letters(part, functions)
    return letters


def _index_letters(node: tex.Node) -> set[str]:
    return {n.name for n in tex.walk(node) if isinstance(n, Sym) and not n.indices and n.name[0].islower()}
