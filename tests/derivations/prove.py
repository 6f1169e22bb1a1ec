"""Does the equation with this label hold?  The verdict, and how far it reaches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, product

from . import tex
from .arithmetic import LeavesAlgebra, Undefined, agree, digits50, is_number
from .domains import Moments, Samples
from .evaluate import Definition, Scope, World, evaluate, free_letters, pretty, sort_of, whole_batches
from .given import SIZES, kind_of
from .pages import Equation, Page
from .polynomial import Index, at_distinct
from .steps import ALGEBRA, LIMITS
from .tex import Condition, Num, Statement, Sym, TexError

PROVED = "proved for every N"
CHECKED = "checked at N ≤ 7"
STATED = "true for the numbers it states"
COMPUTED = "computed"
DEFINED = "defined"
APPROXIMATE = "approximate"

#: Sizes of the drawn samples.  The first refuses most wrong equations: N, D and K differ, as in the second.
TRIED = (
    {"N": 3, "D": 2, "C": 2, "H": 1, "W": 2, "T": 4, "K": 4, "P": 2, "Q": 3, "B": 2, "G": 2},
    {"N": 2, "D": 3, "C": 1, "H": 2, "W": 3, "T": 2, "K": 2, "P": 3, "Q": 2, "B": 3, "G": 3},
    {"N": 5, "D": 2, "C": 2, "H": 1, "W": 1, "T": 5, "K": 2, "P": 2, "Q": 2, "B": 2, "G": 2},
    {"N": 7, "D": 1, "C": 1, "H": 1, "W": 1, "T": 7, "K": 1, "P": 1, "Q": 1, "B": 1, "G": 1},
)
DRAWS = 4  # of the moments; each is independent, and signs change between them
ATTEMPTS = 12  # to meet a condition such as a > 0, or to avoid a zero below a fraction


@dataclass(frozen=True)
class Context:
    """What an equation can see: the definitions above it."""

    definitions: Mapping[tuple, Definition]
    functions: Mapping[str, Definition]

    @property
    def letters(self) -> frozenset[str]:
        """Functions that look like a product, f(z)."""
        return frozenset(name for name in self.functions if re.fullmatch(r"[a-zA-Z]|\\[a-z]+", name))


@dataclass(frozen=True)
class Entry:
    """An equation, read, with what it can see."""

    equation: Equation
    statements: tuple[Statement, ...]
    context: Context
    defines: tuple[Definition, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Verdict:
    label: str
    holds: bool
    status: str
    reason: str = ""
    uses: frozenset[str] = field(default_factory=frozenset)


# ------------------------------------------------------------------------------------------------------- the book


def read_entries(pages: Iterable[Page]) -> list[Entry]:
    """All equations in the order of reading, each with the definitions above it."""
    entries: list[Entry] = []
    context = Context({}, {})
    for equation in (equation for page in pages for equation in page.equations):
        entry = read_entry(equation, context)
        entries.append(entry)
        context = after(entry)
    return entries


def after(entry: Entry) -> Context:
    """What the next equation can see."""
    definitions = {d.key: d for d in entry.defines if not d.arguments}
    functions = {d.name: d for d in entry.defines if d.arguments}
    if not entry.defines:
        return entry.context
    return Context({**entry.context.definitions, **definitions}, {**entry.context.functions, **functions})


def read_entry(equation: Equation, context: Context) -> Entry:
    letters = context.letters
    if equation.kind == "def":
        new = re.match(r"\s*(\\?[a-zA-Z]+)\s*\(\s*\\?[a-zA-Z]+\s*\)\s*&?=", equation.tex)
        if new and kind_of(new[1], ()) is None:
            letters |= {new[1]}
    try:
        statements = tuple(tex.read(equation.tex, letters))
        if equation.kind != "approx" and any("~" in statement.relations for statement in statements):
            raise TexError("\\approx belongs to an approx- label")
        if equation.kind == "approx" and not any("~" in statement.relations for statement in statements):
            raise TexError("an approx- label without \\approx")
        defines = tuple(definition_of(s, equation.label, context) for s in statements) if equation.kind == "def" else ()
        return Entry(equation, statements, context, defines)
    except TexError as error:
        return Entry(equation, (), context, (), str(error))


def definition_of(statement: Statement, label: str, context: Context) -> Definition:
    left = statement.sides[0]
    if statement.relations[0] != "=" or statement.conditions[0]:
        raise TexError("a definition is an unconditional equality")
    definition = _shape(left, statement.sides[1], label)
    known = context.functions.get(definition.name) if definition.arguments else context.definitions.get(definition.key)
    if known is not None:
        raise TexError(f"{definition.name} is already defined by {known.label}: write eq-")
    if not definition.arguments and kind_of(*definition.key) and "T" not in definition.sorts:
        raise TexError(f"{pretty(definition.name)} is free (given.py): what is given is not defined")
    loose = free_letters(definition.body, context.functions) - set(definition.letters)
    if loose:
        raise TexError(f"the index {', '.join(sorted(loose))} stands on the right only")
    if _shares_letter(definition):
        raise TexError("an index stands twice on the left")
    return definition


def _shape(left: tex.Node, body: tex.Node, label: str) -> Definition:
    if isinstance(left, tex.Call):
        names = [*left.slots, *left.arguments]
        if left.primes or not all(isinstance(node, Sym) and not node.indices for node in names):
            raise TexError("a function is defined for letters: \\operatorname{name}_{…}(z)")
        slots, arguments = (tuple(node.name for node in part) for part in (left.slots, left.arguments))
        return Definition(label, left.name, _letters(left.indices), body, slots, arguments)
    squared = isinstance(left, tex.Pow) and left.exponent == Num(Fraction(2))
    symbol = left.base if squared else left
    if not isinstance(symbol, Sym):
        raise TexError("left of a definition stands one symbol, or its square")
    name = symbol.name + ("^2" if squared else "")
    definition = Definition(label, name, _letters(symbol.indices), body)
    if name in SIZES and name not in ("M",):
        raise TexError(f"{name} is a size and free")
    _ = definition.sorts  # an index without a range is refused here, where it is written
    return definition


def _letters(indices: tuple[tex.Node, ...]) -> tuple[str, ...]:
    if not all(isinstance(index, Sym) for index in indices):
        raise TexError("the indices on the left of a definition are letters")
    return tuple(index.name for index in indices)


def _shares_letter(definition: Definition) -> bool:
    return len(set(definition.letters)) < len(definition.letters)


# -------------------------------------------------------------------------------------------------------- verdicts


def prove(entry: Entry) -> Verdict:
    """The verdict on one equation; never raises for what stands on the page."""
    label = entry.equation.label
    if entry.error:
        return Verdict(label, False, "not readable", entry.error)
    try:
        if entry.equation.kind == "approx":
            return _verdict_on_limit(entry)
        if entry.equation.kind == "def":
            return _verdict_on_definition(entry)
        return _verdict_on_chain(entry, [(s, k) for s in entry.statements for k in range(len(s.relations))])
    except (TexError, Disagreement, RecursionError, ValueError) as error:  # the last two: a recursion without end, ...
        return Verdict(label, False, "does not hold" if isinstance(error, Disagreement) else "not readable", str(error))


def _verdict_on_definition(entry: Entry) -> Verdict:
    """A definition must have values; what stands behind a second = in it must be proved."""
    used: set[str] = set()
    here = Entry(entry.equation, entry.statements, after(entry), entry.defines)
    for statement, definition in zip(entry.statements, entry.defines, strict=True):
        if not definition.arguments:
            itself = Statement((statement.sides[0],) * 2, ("=",), ((),))
            _on_samples(here, itself, 0, used, TRIED[:2])
    claims = [(s, k) for s in entry.statements for k in range(1, len(s.relations))]
    if claims:
        verdict = _verdict_on_chain(here, claims)
        return Verdict(
            verdict.label, verdict.holds, f"{DEFINED}, rest {verdict.status}", verdict.reason, verdict.uses | used
        )
    return Verdict(entry.equation.label, True, DEFINED, "", frozenset(used - {entry.equation.label}))


def _verdict_on_chain(entry: Entry, links: list[tuple[Statement, int]]) -> Verdict:
    used: set[str] = set()
    for statement, k in links:
        _on_samples(entry, statement, k, used, TRIED)
    for statement, k, freed in _algebra(entry):
        _on_samples(entry, statement, k, used, TRIED[:2], freed)
    status, reasons = _reach(entry, links, used)
    return Verdict(entry.equation.label, True, status, "; ".join(dict.fromkeys(reasons)), frozenset(used))


def _reach(entry: Entry, links: list[tuple[Statement, int]], used: set[str]) -> tuple[str, list[str]]:
    """How far does what holds for the samples hold?  And if not for every N, why not."""
    if all(_is_arithmetic(side) for statement, _ in links for side in statement.sides):
        return COMPUTED, []
    if all(_states_numbers(statement.conditions[k]) for statement, k in links):
        return STATED, []
    reasons = []
    for statement, k in links:
        try:
            _on_moments(entry, statement, k, used)
        except LeavesAlgebra as reason:
            reasons.append(str(reason))
        except Disagreement:
            reasons.append("true for samples, though not for moments that are free of each other")
    return (CHECKED, reasons) if reasons else (PROVED, [])


def _is_arithmetic(side: tex.Node) -> bool:
    return not any(isinstance(node, Sym) for node in tex.walk(side))


def _states_numbers(conditions: tuple[Condition, ...]) -> bool:
    """(N = 2), (x = (2, 4, 4)): nothing is claimed for other N."""
    sizes = [c for c in conditions if c.relation == "=" and isinstance(c.left, Sym) and c.left.name in SIZES]
    return bool(sizes) or any(isinstance(condition.right, tex.Vector) for condition in conditions)


def _algebra(entry: Entry) -> list[tuple[Statement, int, frozenset[str]]]:
    """The steps that must hold for any value of some symbols."""
    steps = ALGEBRA.get(entry.equation.label, {})
    chain = entry.statements[0]
    if steps and max(steps) > len(chain.relations):
        raise TexError(f"steps.py names step {max(steps)}, and there are {len(chain.relations)}")
    return [(chain, step - 1, frozenset(symbols)) for step, symbols in steps.items()]


def _verdict_on_limit(entry: Entry) -> Verdict:
    """Does the error shrink as fast as steps.py says?  Other approximations are measured on their page."""
    label = entry.equation.label
    if label not in LIMITS:
        return Verdict(label, True, APPROXIMATE)
    symbol, order = LIMITS[label]
    statement = entry.statements[0]
    used: set[str] = set()
    errors = []
    for small in (Fraction(1, 100), Fraction(1, 1000)):
        world = World(
            Samples(dict(TRIED[0]), 0),
            entry.context.definitions,
            entry.context.functions,
            {symbol: lambda _, small=small: small},
            used=used,
        )
        left, right = (evaluate(side, Scope(world, {})) for side in statement.sides[:2])
        errors.append(abs(left + -right))
    if not 10 ** (order - 0.1) < errors[0] / errors[1] < 10 ** (order + 0.1):
        shown = ", then ".join(digits50.nstr(error, 3) for error in errors)
        raise Disagreement(f"the error does not shrink with {symbol}^{order}: {shown}")
    return Verdict(label, True, f"{APPROXIMATE}, error of order {symbol}^{order}", "", frozenset(used))


class Disagreement(Exception):
    """Two sides of an equation have different values."""


class NotMet(Exception):
    """The drawn numbers do not meet a condition."""


def _on_samples(
    entry: Entry,
    statement: Statement,
    k: int,
    used: set[str],
    tried: Iterable[dict[str, int]],
    freed: frozenset[str] = frozenset(),
) -> None:
    conditions = statement.conditions[k]
    compared = 0
    for sizes in tried:
        first = sizes["N"]  # other sizes, other numbers
        stated, data = _stated_sizes(conditions, dict(sizes))
        domains = [Samples(stated, draw, data) for draw in range(first, first + ATTEMPTS)]
        compared += _compare_with(entry, statement, k, used, domains, freed)
    if not compared:
        raise TexError("the conditions are never met, so nothing is claimed")


def _on_moments(entry: Entry, statement: Statement, k: int, used: set[str]) -> None:
    if _states_numbers(statement.conditions[k]):
        raise LeavesAlgebra("stated for certain numbers")
    domains = (Moments(draw) for draw in range(DRAWS * ATTEMPTS))
    for _ in range(DRAWS):
        _compare_with(entry, statement, k, used, islice(domains, ATTEMPTS))


def _compare_with(
    entry: Entry, statement: Statement, k: int, used: set[str], domains: Iterable, freed: frozenset[str] = frozenset()
) -> int:
    """Compare on the first draw that is defined everywhere; under a condition such as a > 0, on each that meets it."""
    why: Exception | None = None
    compared: list[int] = []
    for domain in domains:
        try:
            compared.append(compare(entry, statement, k, domain, used, freed))
        except (Undefined, NotMet) as error:
            why = error
        if compared and all(condition.relation == "=" for condition in statement.conditions[k]):
            break
    if not compared:
        raise TexError(f"no draw of {ATTEMPTS} gives a value: {why}")
    return sum(compared)


def _stated_sizes(conditions: tuple[Condition, ...], sizes: dict[str, int]):
    """(N = 2) and (x = (2, 4, 4)) say how many samples there are."""
    data: dict[str, list[Fraction]] = {}
    for condition in conditions:
        if condition.relation != "=" or not isinstance(condition.left, Sym):
            continue
        if isinstance(condition.right, tex.Vector):
            scope = Scope(World(Samples(sizes, 0), {}, {}), {})
            data[condition.left.name] = [evaluate(item, scope) for item in condition.right.items]
            sizes["N"] = len(condition.right.items)
        elif condition.left.name in SIZES and isinstance(condition.right, Num):
            sizes[condition.left.name] = int(condition.right.value)
    return sizes, data


def compare(
    entry: Entry, statement: Statement, k: int, domain, used: set[str], freed: frozenset[str] = frozenset()
) -> int:
    """Raise Disagreement unless side k and side k + 1 agree for all values of the free indices; how many those were."""
    left, right, conditions = statement.sides[k], statement.sides[k + 1], statement.conditions[k]
    functions = entry.context.functions
    world = World(domain, entry.context.definitions, functions, freed=freed, used=used)
    if whole_batches(left, functions) != whole_batches(right, functions):
        raise TexError("one side is a whole batch, the other one sample of it: write the index on both")
    letters = sorted(free_letters(left, functions) | free_letters(right, functions))
    compared = 0
    for assignment in assignments(letters, domain):
        scope = under(conditions, Scope(world, assignment))
        if scope is None:
            continue
        compared += 1
        values = [evaluate(side, scope) for side in (left, right)]
        if domain.general:
            values = [at_distinct(value, _different(conditions, assignment)) for value in values]
        if not related(statement.relations[k], *values):
            raise Disagreement(explain(statement, k, left, right, scope, domain))
    return compared


def _different(conditions: tuple[Condition, ...], letters: Mapping[str, Index]) -> set[frozenset[str]]:
    """The pairs of indices that a condition (i ≠ k) keeps apart."""
    pairs = [
        (c.left.name, c.right.name)
        for c in conditions
        if c.relation == "!=" and isinstance(c.left, Sym) and isinstance(c.right, Sym)
    ]
    return {frozenset(pair) for pair in pairs if set(pair) <= set(letters)}


def assignments(letters: list[str], domain) -> Iterable[dict[str, Index]]:
    if domain.general:
        return [{letter: Index(letter, sort_of(letter)) for letter in letters}]
    ranges = [domain.values(sort_of(letter), 1, Fraction(domain.sizes[sort_of(letter)])) for letter in letters]
    return (dict(zip(letters, values, strict=True)) for values in product(*ranges))


def under(conditions: tuple[Condition, ...], scope: Scope) -> Scope | None:
    """The scope in which the conditions hold; None if these indices do not meet them; NotMet if this draw does not."""
    if not conditions:
        return scope
    world = scope.world.changed(replaced=dict(scope.world.replaced))  # one condition may use another: (ε = 0, γ = s)
    letters = dict(scope.letters)
    for condition in conditions:
        name = condition.left.name if isinstance(condition.left, Sym) else ""
        if name in letters and isinstance(condition.right, Sym) and condition.right.name in letters:
            if condition.relation == "=":
                letters[condition.right.name] = letters[name]
            elif condition.relation == "!=" and letters[name] == letters[condition.right.name]:
                return None
            continue
        if condition.relation == "=" and not isinstance(condition.right, tex.Vector):
            symbol, value = _assigned(condition, Scope(world, letters))
            if symbol not in SIZES:
                world.replaced[symbol] = value
    scope = Scope(world, letters)
    for condition in conditions:
        if condition.relation not in ("=",) and not (
            isinstance(condition.left, Sym) and condition.left.name in letters
        ):
            left, right = evaluate(condition.left, scope), evaluate(condition.right, scope)
            if not related(condition.relation, left, right):
                raise NotMet("a condition is met by no draw")
    return scope


def _assigned(condition: Condition, scope: Scope):
    """(name, what to put in its place) for a condition γ = ….  Its right side is a constant under ∂."""
    left = condition.left
    squared = isinstance(left, tex.Pow) and left.exponent == Num(Fraction(2))
    symbol = left.base if squared else left
    if not isinstance(symbol, Sym):
        raise TexError("left of = in a condition stands a symbol")
    name = symbol.name + ("^2" if squared else "")
    names = [index.name for index in symbol.indices if isinstance(index, Sym)]
    if kind_of(name, tuple(map(sort_of, names))) is None:
        raise TexError(f"a condition sets {pretty(name)}, which is not free")

    def value(indices: tuple[Index, ...]):
        return evaluate(condition.right, scope.bind(dict(zip(names, indices, strict=True))))

    return name, value


def related(relation: str, left, right) -> bool:
    if relation == "=":
        return agree(left, right)
    if not (is_number(left) and is_number(right)):
        raise LeavesAlgebra("an inequality between samples")
    if relation == "!=":
        return not agree(left, right)
    difference = right + -left if relation in ("<", "<=") else left + -right
    if agree(left, right):
        return relation in ("<=", ">=")
    return difference > 0


def explain(statement: Statement, k: int, left, right, scope: Scope, domain) -> str:
    """Both numbers, and where they were found."""
    where = [str(domain), *(f"{letter} = {index.value}" for letter, index in scope.letters.items())]
    claim = f"{_shown(left, scope)} {statement.relations[k]} {_shown(right, scope)}"
    return f"sides {k + 1} and {k + 2} differ: {claim} is wrong ({', '.join(where)})"


def _shown(side: tex.Node, scope: Scope) -> str:
    value = evaluate(side, scope)
    if not is_number(value):
        return "…"
    return digits50.nstr(digits50.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value, 8)
