"""What does a displayed equation say?  TeX -> tokens -> statements -> trees, for the subset in README.md."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction


class TexError(ValueError):
    """TeX outside the subset, or a symbol nobody introduced."""


# --------------------------------------------------------------------------------------------------------- tokens


@dataclass(frozen=True)
class Token:
    kind: str  # letter, number, command, sign, or a name for what needs its own rule
    text: str
    start: int  # where it stands in the TeX, for the mutants
    end: int


SPACES = {",", ";", ":", "!", " ", "displaystyle", "textstyle", "limits", "nolimits"}
SIZES = ("bigl", "bigr", "big", "Bigl", "Bigr", "Big", "biggl", "biggr", "bigg", "left", "right")
TOKEN = re.compile(
    r"""(?P<space>\s+|~|%[^\n]*)
      | \\(?P<size>"""
    + "|".join(sorted(SIZES, key=len, reverse=True))
    + r""")(?![a-zA-Z])\s*(?P<fence>\\[a-zA-Z|{}]+|[()\[\].|/])
      | (?P<newline>\\\\(?:\[[0-9.]+[a-z]+\])?)
      | \\(?P<words>text|textrm|mathrm|operatorname)\*?\s*\{(?P<content>[^{}]*)\}
      | \\(?P<edge>begin|end)\{(?P<environment>[a-z*]+)\}
      | \\(?P<command>[a-zA-Z]+|.)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<letter>[a-zA-Z])
      | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
FENCES = {r"\lvert": "|(", r"\rvert": ")|", r"\vert": "|", r"\{": "{", r"\}": "}"}


def tokenize(tex: str) -> list[Token]:
    """The tokens of `tex`; spaces are dropped, sizes of brackets too."""
    tokens = []
    for match in TOKEN.finditer(tex):
        group, start, end = match.groupdict(), match.start(), match.end()

        def add(kind: str, text: str, start: int = start, end: int = end) -> None:
            tokens.append(Token(kind, text, start, end))

        if group["size"]:
            add("sign", _fence(group["size"], group["fence"]))
        elif group["newline"]:
            add("command", "\\")
        elif group["words"]:
            kind = {"operatorname": "operator"}.get(group["words"], "text")
            add(kind, group["content"].strip())
        elif group["edge"]:
            add(group["edge"], group["environment"])
        elif group["command"]:
            command = group["command"]
            if command in FENCES or "\\" + command in FENCES:
                add("sign", FENCES["\\" + command])
            elif command not in SPACES:
                add("command", command)
        elif not group["space"]:
            kind = "number" if group["number"] else "letter" if group["letter"] else "sign"
            add(kind, match.group())
    return tokens


def _fence(size: str, fence: str) -> str:
    """One sign for a sized bracket: `|(` and `)|` are the sides of |…|, `<.` and `.>` those of an evaluation bar."""
    if fence == ".":
        return "<." if size == "left" else "none"
    if fence == "|" or fence in (r"\vert", r"\lvert", r"\rvert"):
        if fence == r"\lvert" or (size.endswith(("l", "left")) and fence == "|"):
            return "|("
        if fence == r"\rvert" or size.endswith(("r", "right")):
            return ")|"
        return ".>"  # \Big|_{…}
    return FENCES.get(fence, fence)


# ----------------------------------------------------------------------------------------------------------- tree


class Node:
    """One node of the tree of an expression."""


@dataclass(frozen=True)
class Num(Node):
    value: Fraction


@dataclass(frozen=True)
class Sym(Node):
    name: str
    indices: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Neg(Node):
    of: Node


@dataclass(frozen=True)
class Add(Node):
    terms: tuple[Node, ...]


@dataclass(frozen=True)
class Mul(Node):
    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Div(Node):
    above: Node
    below: Node


@dataclass(frozen=True)
class Pow(Node):
    base: Node
    exponent: Node


@dataclass(frozen=True)
class Root(Node):
    of: Node
    degree: int = 2


@dataclass(frozen=True)
class Abs(Node):
    of: Node


@dataclass(frozen=True)
class Call(Node):
    """name_{slots}(arguments)_{indices}, with `primes` derivatives."""

    name: str
    slots: tuple[Node, ...]
    arguments: tuple[Node, ...]
    indices: tuple[Node, ...] = ()
    primes: int = 0


@dataclass(frozen=True)
class Binder:
    letter: str
    lower: Node | None = None
    upper: Node | None = None
    other_than: Node | None = None


@dataclass(frozen=True)
class Sum(Node):
    """Σ or Π (`product`) over all binders at once."""

    binders: tuple[Binder, ...]
    body: Node
    product: bool = False


@dataclass(frozen=True)
class Partial(Node):
    """∂ of / ∂ by, the symbols in `held` staying constant."""

    of: Node
    by: Node
    held: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Vector(Node):
    """(2, 4, 4): a row of samples, only in a condition."""

    items: tuple[Node, ...]


# --------------------------------------------------------------------------------------------------------- parser

GREEK = frozenset(
    # one string is easier to read than sixty
    """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta kappa lambda mu nu xi rho sigma tau phi varphi chi
    psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell
    """.split()  # noqa: SIM905
)
ACCENTS = {
    "hat": "hat",
    "widehat": "hat",
    "bar": "bar",
    "tilde": "tilde",
    "widetilde": "tilde",
    "dot": "dot",
    "check": "check",
}
FUNCTIONS = {"exp", "log", "ln", "tanh", "max", "min"}
FRACTIONS = {"frac", "tfrac", "dfrac"}
CLOSING = {"(": ")", "[": "]", "{": "}", "|(": ")|", "|": "|"}
RELATIONS = {
    "=": "=",
    "<": "<",
    ">": ">",
    "le": "<=",
    "leq": "<=",
    "ge": ">=",
    "geq": ">=",
    "approx": "~",
    "ne": "!=",
    "neq": "!=",
    "coloneqq": "=",
}


@dataclass
class Parser:
    """Recursive descent over the tokens of one expression."""

    tokens: list[Token]
    functions: frozenset[str] = frozenset()  # single letters that a definition made a function, `f(z) = …`
    at: int = 0
    bars: int = 0  # how many plain | are open

    def whole(self) -> Node:
        if not self.tokens:
            raise TexError("an empty expression")
        node = self.sum_of_terms()
        if self.at < len(self.tokens):
            raise TexError(f"cannot read on at {self.peek().text!r}")
        return node

    # -- walking
    def peek(self, ahead: int = 0) -> Token:
        position = self.at + ahead
        return self.tokens[position] if position < len(self.tokens) else Token("end of expression", "", -1, -1)

    def next(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def sees(self, text: str, kind: str | None = None) -> bool:
        token = self.peek()
        return token.text == text and token.kind == (kind or ("sign" if not text.isalpha() else "command"))

    def accept(self, text: str, kind: str | None = None) -> bool:
        if self.sees(text, kind):
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise TexError(f"expected {text!r}, found {self.peek().text or self.peek().kind!r}")

    def group(self) -> list[Token]:
        """The tokens of `{…}`, or the one token that TeX would take."""
        if not self.accept("{"):
            return [self.one_token()]
        depth, start = 1, self.at
        while depth:
            token = self.next()
            if token.kind == "end of expression":
                raise TexError("a brace is not closed")
            depth += {"{": 1, "}": -1}.get(token.text, 0) if token.kind == "sign" else 0
        return self.tokens[start : self.at - 1]

    def one_token(self) -> Token:
        """What TeX takes without braces: of a number its first digit, so that \\frac12 is a half."""
        token = self.next()
        if token.kind != "number" or len(token.text) == 1:
            return token
        self.tokens = list(self.tokens)
        self.at -= 1
        self.tokens[self.at] = replace(token, text=token.text[1:], start=token.start + 1)
        return replace(token, text=token.text[0], end=token.start + 1)

    def inside(self, tokens: list[Token]) -> Node:
        return Parser(tokens, self.functions).whole()

    # -- grammar
    def sum_of_terms(self) -> Node:
        terms = [self.signed_term()]
        while self.sees("+") or self.sees("-"):
            terms.append(self.signed_term())
        return terms[0] if len(terms) == 1 else Add(tuple(terms))

    def signed_term(self) -> Node:
        if self.accept("-"):
            return Neg(self.term())
        self.accept("+")
        return self.term()

    def term(self) -> Node:
        """A product; `/` divides by the one factor behind it, and nothing may be multiplied silently after that."""
        factors, divided = [self.factor()], False
        while True:
            if self.accept("cdot") or self.accept("times"):
                factors.append(self.factor())
                divided = False
            elif self.accept("/"):
                below = self.factor()
                factors = [Div(_product(factors), below)]
                divided = True
            elif self.starts_factor():
                if divided:
                    raise TexError("a/b c can be read two ways: write \\frac or brackets")
                if self.peek().kind == self.peek(-1).kind == "number":
                    raise TexError("two numbers side by side: write 60000 as one, or a product with \\cdot")
                factors.append(self.factor())
            else:
                return _product(factors)

    def starts_factor(self) -> bool:
        token = self.peek()
        if token.kind in ("letter", "number", "operator"):
            return True
        if token.kind == "sign":
            return token.text in ("(", "[", "{", "|(", "<.") or (token.text == "|" and not self.bars)
        return token.kind == "command" and (
            token.text
            in GREEK
            | set(ACCENTS)
            | FUNCTIONS
            | FRACTIONS
            | {"sqrt", "sum", "prod", "underbrace", "pi", "partial", "overline"}
        )

    def factor(self) -> Node:
        """An atom with its power: `x_i^2`, `(…)^{-1}`, `\\frac{…}{…}`."""
        start = self.at
        node = self.atom()
        if self.accept("^"):
            node = Pow(node, self.exponent())
        if self.sees("_") and isinstance(node, Pow | Abs | Root | Div):
            raise TexError("an index behind a bracket or a fraction")
        while self.accept(".>"):
            node = self.held_constant(node)
        if self.at == start:
            raise TexError(f"cannot read {self.peek().text or self.peek().kind!r}")
        return node

    def exponent(self) -> Node:
        tokens = self.group()
        if tokens and tokens[0].text == "(" and tokens[-1].text == ")" and len(tokens) == 3:
            raise TexError("a bracketed superscript such as x^{(t)}: write it as an index")
        if any(token.text in ("top", "prime", "*") for token in tokens):
            raise TexError(f"a superscript {tokens[0].text!r}: write the transpose as a sum over indices")
        return self.inside(tokens)

    def held_constant(self, node: Node) -> Node:
        if not isinstance(node, Partial):
            raise TexError("an evaluation bar stands behind a partial derivative only")
        self.expect("_")
        held = tuple(self.inside(part) for part in split(self.group(), ","))
        return Partial(node.of, node.by, node.held + held)

    def atom(self) -> Node:
        token = self.next()
        rule = getattr(self, f"atom_{token.kind.replace(' ', '_')}", None)
        if rule is None:
            raise TexError(f"cannot read {token.text or token.kind!r}")
        return rule(token)

    def atom_number(self, token: Token) -> Node:
        return Num(Fraction(token.text))

    def atom_sign(self, token: Token) -> Node:
        if token.text == "<.":
            node = self.sum_of_terms()
            if not self.accept(".>") and not self.accept(")|"):
                raise TexError("\\left. without \\right|")
            return self.held_constant(node)
        if token.text not in CLOSING:
            raise TexError(f"cannot read {token.text!r}")
        if token.text == "|":
            self.bars += 1
        hidden, self.bars = self.bars, self.bars if token.text == "|" else 0
        node = self.sum_of_terms()
        self.bars = hidden - (token.text == "|")
        self.expect(CLOSING[token.text])
        return Abs(node) if "|" in token.text else node

    def atom_letter(self, token: Token) -> Node:
        if token.text == "e" and not self.sees("_"):
            if not self.accept("^"):
                raise TexError("e is the base of the exponential here: write e^{…}")
            return Call("exp", (), (self.exponent(),))
        if token.text in self.functions and (self.sees("(") or self.sees("'")):
            return self.call(token.text)
        return self.symbol(token.text)

    def atom_operator(self, token: Token) -> Node:
        return self.call(token.text)

    def atom_command(self, token: Token) -> Node:
        name = token.text
        if name in FRACTIONS:
            return self.fraction()
        if name == "sqrt":
            degree = 2
            if self.accept("["):
                degree = int(self.next().text)
                self.expect("]")
            return Root(self.inside(self.group()), degree)
        if name in ("sum", "prod"):
            return self.sum(product=name == "prod")
        if name in ACCENTS:
            return self.symbol(f"\\{ACCENTS[name]}{{{self.accented(name)}}}")
        if name == "delta" and self.sees("_"):
            return self.symbol("\\delta")
        if name in FUNCTIONS:
            return self.call("log" if name == "ln" else name)
        if name == "underbrace":
            node = self.inside(self.group())
            if self.accept("_"):
                self.group()
            return node
        if name == "partial":
            return self.partial_with_slash()
        if name == "pi":
            return Sym("\\pi")
        if name in GREEK:
            if "\\" + name in self.functions and (self.sees("(") or self.sees("'")):
                return self.call("\\" + name)
            return self.symbol("\\" + name)
        raise TexError(f"\\{name} is not in the subset")

    def accented(self, accent: str) -> str:
        tokens = self.group()
        if len(tokens) != 1 or not (tokens[0].kind == "letter" or tokens[0].text in GREEK):
            raise TexError(f"\\{accent} takes one letter; its index stands outside")
        return tokens[0].text if tokens[0].kind == "letter" else "\\" + tokens[0].text

    def symbol(self, name: str) -> Node:
        """The symbol with its indices, before or after its power."""
        power = self.exponent() if self.accept("^") else None
        indices: tuple[Node, ...] = ()
        if self.accept("_"):
            suffix, indices = self.subscript()
            name += suffix
        node: Node = Sym(name, indices)
        return node if power is None else Pow(node, power)

    def subscript(self) -> tuple[str, tuple[Node, ...]]:
        """(what belongs to the name, the indices) below a symbol."""
        suffix, indices = "", []
        for part in split(self.group(), ","):
            if any(token.text in "+-" and token.kind == "sign" for token in part):
                indices.append(Parser(part, self.functions).whole())
                continue
            for position, token in enumerate(part):
                if token.kind == "text" or (token.kind == "letter" and token.text.isupper()):
                    suffix += f"_{token.text}"
                elif token.kind == "number":
                    if len(token.text) > 1:
                        raise TexError(f"the index {token.text} can be read two ways: write commas")
                    indices.append(Num(Fraction(token.text)))
                elif token.kind == "letter":
                    primes = 0
                    while position + 1 + primes < len(part) and part[position + 1 + primes].text == "'":
                        primes += 1
                    indices.append(Sym(token.text + "'" * primes))
                elif token.text != "'":
                    raise TexError(f"an index cannot be {token.text!r}")
        return suffix, tuple(indices)

    def call(self, name: str) -> Node:
        slots: tuple[Node, ...] = ()
        primes = 0
        while self.accept("'"):
            primes += 1
        if self.accept("_"):
            slots = tuple(self.inside(part) for part in split(self.group(), ","))
        power = self.exponent() if self.accept("^") else None
        if not self.sees("(") and not self.sees("["):
            raise TexError(f"{name} needs its argument in brackets")
        closing = CLOSING[self.next().text]
        arguments = [self.sum_of_terms()]
        while self.accept(",") or self.accept(";"):
            arguments.append(self.sum_of_terms())
        self.expect(closing)
        indices: tuple[Node, ...] = ()
        if self.accept("_"):
            _, indices = self.subscript()
        node: Node = Call(name, slots, tuple(arguments), indices, primes)
        return node if power is None else Pow(node, power)

    def fraction(self) -> Node:
        above, below = self.group(), self.group()
        if above and above[0].text == "partial" and below and below[0].text == "partial":
            return Partial(self.inside(above[1:]), self.inside(below[1:]))
        return Div(self.inside(above), self.inside(below))

    def partial_with_slash(self) -> Node:
        of = self.factor()
        self.expect("/")
        self.expect("partial")
        return Partial(of, self.factor())

    def sum(self, product: bool) -> Node:
        below: list[Token] | None = None
        upper: Node | None = None
        while self.sees("_") or self.sees("^"):
            if self.next().text == "_":
                below = self.group()
            else:
                upper = self.inside(self.group())
        if below is None:
            raise TexError("a sum needs its index below it")
        binders = self.binders(below, upper)
        body = self.term()
        if isinstance(body, Sum) and body.product == product and not any(_mentions(b, binders) for b in body.binders):
            return Sum(binders + body.binders, body.body, product)
        return Sum(binders, body, product)

    def binders(self, below: list[Token], upper: Node | None) -> tuple[Binder, ...]:
        parts = split(below, ",")
        if len(parts) == 1 and len(below) > 1 and below[1].text in ("ne", "neq"):
            return (Binder(_letter(below[:1]), upper=upper, other_than=self.inside(below[2:])),)
        if len(parts) == 1 and len(below) > 1 and below[1].text == "=":
            return (Binder(_letter(below[:1]), self.inside(below[2:]), upper),)
        if upper is not None and len(parts) > 1:
            raise TexError("an upper bound over several indices: write one sum each")
        return tuple(Binder(_letter(part), upper=upper) for part in parts)


def _letter(tokens: list[Token]) -> str:
    letter = "".join(token.text for token in tokens)
    if not re.fullmatch(r"[a-z]'*", letter):
        raise TexError(f"cannot sum over {letter!r}")
    return letter


def _mentions(binder: Binder, outer: tuple[Binder, ...]) -> bool:
    """A range that depends on an outer index (Σ_g Σ_{i=1}^{N_g}) cannot be summed at once."""
    letters = {b.letter for b in outer}
    bounds = [bound for bound in (binder.lower, binder.upper, binder.other_than) if bound is not None]
    return any(letters & {node.name for node in walk(bound) if isinstance(node, Sym)} for bound in bounds)


def _product(factors: list[Node]) -> Node:
    return factors[0] if len(factors) == 1 else Mul(tuple(factors))


def walk(node: Node):
    """The node and everything below it."""
    yield node
    for value in vars(node).values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Binder):
                for bound in (part.lower, part.upper, part.other_than):
                    if bound is not None:
                        yield from walk(bound)
            elif isinstance(part, Node):
                yield from walk(part)


# ----------------------------------------------------------------------------------------------------- statements


@dataclass(frozen=True)
class Condition:
    relation: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Statement:
    """A chain: sides[k] relations[k] sides[k + 1], under conditions[k] (those written up to that line)."""

    sides: tuple[Node, ...]
    relations: tuple[str, ...]
    conditions: tuple[tuple[Condition, ...], ...]


@dataclass
class _Chain:
    """A statement being read."""

    sides: list[list[Token]] = field(default_factory=lambda: [[]])
    relations: list[str] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    under: list[tuple[Condition, ...]] = field(default_factory=list)
    line_start: int = 0  # the first relation of the line being read

    def touched(self) -> bool:
        return len(self.relations) > self.line_start

    def add(self, conditions: list[Condition], start: int) -> None:
        self.conditions.extend(conditions)
        self.under[start:] = [(*old, *conditions) for old in self.under[start:]]


OPEN, CLOSE = {"(", "[", "{", "|(", "<."}, {")", "]", "}", ")|"}


def _depth(token: Token) -> int:
    """+1 for an opening bracket, -1 for a closing one."""
    return (token.text in OPEN) - (token.text in CLOSE) if token.kind == "sign" else 0


def split(tokens: list[Token], *separators: str) -> list[list[Token]]:
    """Cut at the separators that stand outside of all brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += _depth(token)
        if depth == 0 and token.text in separators and token.kind in ("sign", "command"):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _relation(token: Token) -> str | None:
    return RELATIONS.get(token.text) if token.kind in ("sign", "command") else None


def _cut_relations(tokens: list[Token]) -> tuple[list[list[Token]], list[str]]:
    sides: list[list[Token]] = [[]]
    relations = []
    depth = 0
    for token in tokens:
        depth += _depth(token)
        relation = _relation(token)
        if depth == 0 and relation:
            relations.append(relation)
            sides.append([])
        else:
            sides[-1].append(token)
    return sides, relations


def read(tex: str, functions: frozenset[str] = frozenset()) -> list[Statement]:
    """All statements of one displayed equation."""
    reader = _Reader(functions)
    for row in rows(tokenize(tex)):
        reader.line(row)
    if not reader.chains:
        raise TexError("nothing is claimed: no relation")
    return [_finish(chain, functions) for chain in reader.chains]


def rows(tokens: list[Token]) -> list[list[Token]]:
    """The lines of an aligned block, without `&`."""
    if tokens and tokens[0].kind == "begin":
        if tokens[0].text not in ("aligned", "split", "gathered") or tokens[-1].kind != "end":
            raise TexError(f"environment {tokens[0].text!r} is not in the subset")
        tokens = tokens[1:-1]
    if any(token.kind in ("begin", "end") for token in tokens):
        raise TexError("one environment around the whole equation, no more")
    tokens = [token for token in tokens if token.text != "&"]
    return split(tokens, "\\")


def _without_punctuation(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1].kind == "sign" and tokens[-1].text in ".,;":
        tokens = tokens[:-1]
    return tokens


WORDS_BEFORE_A_CONDITION = {"if", "with", "for", "when", "at"}
WORDS_WITHOUT_MEANING = {"and", "so", "hence", "thus", "or equivalently"}


@dataclass
class _Reader:
    """Lines, one after the other, become chains."""

    functions: frozenset[str]
    chains: list[_Chain] = field(default_factory=list)

    def line(self, tokens: list[Token]) -> None:
        for chain in self.chains:
            chain.line_start = len(chain.relations)
        conditions: list[Condition] = []
        for segment in split(tokens, "quad", "qquad"):
            segment = _without_punctuation(segment)
            if segment:
                conditions += self.segment(segment)
        alone = not any(chain.touched() for chain in self.chains)
        for chain in self.chains if conditions else ():
            if alone:  # a line of its own: everything above stands under it
                chain.add(conditions, 0)
            elif chain.touched():  # it holds for this line and those below; earlier lines have to do without
                chain.add(conditions, chain.line_start)

    def segment(self, tokens: list[Token]) -> list[Condition]:
        """A part of a line between two \\quad: a continued chain, a new one, or conditions."""
        if tokens[0].kind == "text":
            return self.words(tokens[0].text.lower(), tokens)
        if _is_bracketed(tokens) and self.chains and any(_relation(token) for token in tokens):
            return _read_conditions(tokens[1:-1], self.functions)
        parts = split(tokens, ",")
        if len(parts) > 1 and all(any(_relation(t) for t in part) for part in parts):
            return [condition for part in parts for condition in self.segment(part)]
        sides, relations = _cut_relations(tokens)
        continues = not sides[0] or tokens[0].text in ("+", "-", "cdot", "times", "/")
        if not self.chains or not continues:
            if self.chains and not self.chains[-1].relations:
                raise TexError("an expression without a relation")
            self.chains.append(_Chain())
        chain = self.chains[-1]
        chain.sides[-1].extend(sides[0])
        chain.sides.extend(sides[1:])
        chain.relations.extend(relations)
        chain.under.extend([tuple(chain.conditions)] * len(relations))
        return []

    def words(self, words: str, tokens: list[Token]) -> list[Condition]:
        if words in ("for every", "for all", "for each") and all(
            t.kind == "letter" or t.text in ",'" for t in tokens[1:]
        ):
            return []
        if words in WORDS_WITHOUT_MEANING:
            return self.segment(tokens[1:]) if tokens[1:] else []
        if words in WORDS_BEFORE_A_CONDITION and self.chains:
            return _read_conditions(tokens[1:], self.functions)
        raise TexError(f"words in an equation: {tokens[0].text!r}")


def _is_bracketed(tokens: list[Token]) -> bool:
    """Does one pair of brackets enclose all of it?"""
    if tokens[0].text != "(" or tokens[-1].text != ")":
        return False
    depth = 0
    for token in tokens[:-1]:
        depth += _depth(token)
        if depth == 0:
            return False
    return True


def _read_conditions(tokens: list[Token], functions: frozenset[str]) -> list[Condition]:
    if tokens and _is_bracketed(tokens):
        tokens = tokens[1:-1]
    conditions = []
    for part in split(tokens, ",", ";", "quad", "qquad"):
        while (
            part and part[0].kind == "text" and part[0].text.lower() in WORDS_WITHOUT_MEANING | WORDS_BEFORE_A_CONDITION
        ):
            part = part[1:]
        sides, relations = _cut_relations(part)
        if len(relations) != 1:
            raise TexError("a condition is one relation, such as \\varepsilon = 0")
        left, right = sides
        if right and _is_bracketed(right) and len(split(right[1:-1], ",")) > 1:
            value: Node = Vector(tuple(Parser(item, functions).whole() for item in split(right[1:-1], ",")))
        else:
            value = Parser(right, functions).whole()
        conditions.append(Condition(relations[0], Parser(left, functions).whole(), value))
    return conditions


def _finish(chain: _Chain, functions: frozenset[str]) -> Statement:
    if not chain.relations:
        raise TexError("an expression without a relation")
    sides = tuple(Parser(side, functions).whole() for side in chain.sides)
    return Statement(sides, tuple(chain.relations), tuple(chain.under))
