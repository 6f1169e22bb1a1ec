"""Would anybody notice a slip of the pen?  One small change of an equation's TeX at a time.

The operators, fixed before any equation was tried.  Each is used wherever it applies, outside of words; on the left of
a definition only those for exponent, index and accent.

    sign      + becomes -, - becomes +, an unary - goes
    exponent  ^2 becomes ^3 (any number grows by one), the exponent goes, a root goes
    factor    a number grows by one, a symbol, fraction or sum is doubled, a fraction is turned over,
              the N above a sum becomes N - 1
    index     an index becomes another letter, a summation starts at 2, an index goes
    accent    an accent goes, a hat becomes a bar, a bar a hat; x, μ and σ without accent get one
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .tex import ACCENTS, FRACTIONS, GREEK, TexError, Token, tokenize

NEIGHBOURS = 5
LAYOUT = {"&", "\\", "quad", "qquad"}
OPERATORS = ("sign", "exponent", "factor", "index", "accent")


@dataclass(frozen=True)
class Mutant:
    operator: str
    tex: str
    change: str  # the change amid its neighbours; unique within an equation, so that it names the mutant


def mutants(tex: str, is_definition: bool) -> list[Mutant]:
    """All mutants of one equation, each a text of its own."""
    walker = _Walker(tex, tokenize(tex), is_definition)
    found: dict[str, Mutant] = {}
    seen: Counter[str] = Counter()
    for operator, start, end, new in walker.changes():
        mutated = tex[:start] + new + tex[end:]
        if mutated == tex or mutated in found:
            continue
        change = walker.shown(start, end, new)
        seen[change] += 1
        found[mutated] = Mutant(operator, mutated, change if seen[change] == 1 else f"{change} ({seen[change]})")
    return list(found.values())


@dataclass
class _Walker:
    tex: str
    tokens: list[Token]
    is_definition: bool

    def changes(self) -> Iterator[tuple[str, int, int, str]]:
        """(operator, start, end, new text) of every change."""
        role = self.roles()
        left_end = next((k for k, token in enumerate(self.tokens) if token.text == "="), 0) if self.is_definition else 0
        for k, token in enumerate(self.tokens):
            for operator, start, end, new in self.at(k, token, role[k], role):
                if k >= left_end or operator in ("exponent", "index", "accent"):
                    yield operator, start, end, new

    def shown(self, start: int, end: int, new: str) -> str:
        """The change between its neighbours; how the lines are laid out does not matter."""
        tokens = [token for token in self.tokens if token.text not in LAYOUT and token.kind not in ("begin", "end")]
        before = [self.tex[token.start : token.end] for token in tokens if token.end <= start][-NEIGHBOURS:]
        after = [self.tex[token.start : token.end] for token in tokens if token.start >= end][:NEIGHBOURS]
        return f"{' '.join(before)} ⟨{self.tex[start:end]} → {new}⟩ {' '.join(after)}".strip()

    # -- what a token is there for
    def roles(self) -> list[str]:
        """term, index, binder (below a sum), bound (above it), exponent, held (below an evaluation bar) or dead."""
        roles = ["term"] * len(self.tokens)
        for k, token in enumerate(self.tokens):
            if token.kind in ("begin", "end", "text", "operator"):
                roles[k] = "dead"
            if token.text not in ("_", "^") or token.kind != "sign":
                continue
            owner = self.owner(k)
            role = {
                "sum": {"_": "binder", "^": "bound"},
                "operator": {"_": "term", "^": "exponent"},
                "bar": {"_": "held", "^": "exponent"},
            }.get(owner, {"_": "index", "^": "exponent"})[token.text]
            for inside in range(*self.group(k + 1)):
                if roles[inside] == "term":
                    roles[inside] = role
        return roles

    def owner(self, k: int) -> str:
        """Whose index or exponent begins at token k?"""
        before = k - 1
        while before > 0 and self.tokens[before].text == "}":  # step over ^{N} in \\sum^{N}_{i=1}
            opening = self.opening(before)
            if self.tokens[opening - 1].text in ("_", "^"):
                before = opening - 2
            else:
                break
        if before > 0 and self.tokens[before - 1].text in ("_", "^"):
            before -= 2
        token = self.tokens[before]
        if token.kind == "command" and token.text in ("sum", "prod"):
            return "sum"
        if token.kind == "operator":
            return "operator"
        return "bar" if token.text in (")|", ".>") else "symbol"

    def opening(self, closing: int) -> int:
        depth = 0
        for k in range(closing, -1, -1):
            depth += {"}": 1, "{": -1}.get(self.tokens[k].text, 0)
            if depth == 0:
                return k
        return 0

    def group(self, k: int) -> tuple[int, int]:
        """[first, last) token of the group that begins at k."""
        if k >= len(self.tokens):
            return k, k
        if self.tokens[k].text != "{":
            return k, k + 1
        depth = 0
        for end in range(k, len(self.tokens)):
            depth += {"{": 1, "}": -1}.get(self.tokens[end].text, 0)
            if depth == 0:
                return k, end + 1
        raise TexError("a brace is not closed")

    def text(self, first: int, last: int) -> str:
        return self.tex[self.tokens[first].start : self.tokens[last - 1].end] if first < last else ""

    # -- the changes at one token
    def at(self, k: int, token: Token, role: str, roles: list[str]) -> Iterator[tuple[str, int, int, str]]:
        if role in ("dead", "held"):
            return
        yield from self.sign(k, token)
        yield from self.exponent(k, token, roles)
        yield from self.factor(k, token, role)
        yield from self.index(k, token, role)
        yield from self.accent(k, token, role)

    def sign(self, k: int, token: Token):
        if token.kind != "sign" or token.text not in "+-":
            return
        unary = (
            k == 0
            or self.tokens[k - 1].text in ("{", "(", "[", "=", "&", "|(", "\\\\", "+", "-", "cdot")
            or self.tokens[k - 1].kind == "begin"
        )
        yield "sign", token.start, token.end, ("" if unary and token.text == "-" else {"+": "-", "-": "+"}[token.text])

    def exponent(self, k: int, token: Token, roles: list[str]):
        if token.text == "^" and token.kind == "sign" and self.owner(k) != "sum":
            first, last = self.group(k + 1)
            yield "exponent", token.start, self.tokens[last - 1].end, " "
            inside = self.text(first, last).strip("{} ")
            if inside.isdigit():
                yield "exponent", self.tokens[first].start, self.tokens[last - 1].end, f"{{{int(inside) + 1}}}"
        if token.kind == "command" and token.text == "sqrt":
            first, last = self.group(k + 1)
            yield "exponent", token.start, token.end, " "

    def factor(self, k: int, token: Token, role: str):
        if role in ("index", "binder"):
            return
        if role == "bound":
            if token.kind == "letter":
                yield "factor", token.start, token.end, f"{{{token.text} - 1}}"
            return
        if token.kind == "number":
            if self.tokens[k - 1].text == "^":
                return  # the exponent's own rule
            if len(token.text) > 1 and self.tokens[k - 1].text in FRACTIONS:  # \\frac12
                yield "factor", token.start, token.start + 1, str(int(token.text[0]) + 1)
                yield "factor", token.start + 1, token.end, f"{{{int(token.text[1:]) + 1}}}"
            else:
                grown = f"{float(token.text) + 1:g}" if "." in token.text else str(int(token.text) + 1)
                braces = k and self.tokens[k - 1].text in FRACTIONS
                yield (
                    "factor",
                    token.start,
                    token.end,
                    f"{{{grown}}}" if braces or len(grown) > len(token.text) else grown,
                )
        if token.kind == "command" and token.text in FRACTIONS:
            yield "factor", token.start, token.end, f"2 \\{token.text}"
            first = self.group(k + 1)
            second = self.group(first[1])
            derivative = any(token.text == "partial" for token in self.tokens[slice(*first)])
            if self.text(*first).startswith("{") and self.text(*second).startswith("{") and not derivative:
                turned = f"\\{token.text}{self.text(*second)}{self.text(*first)}"
                yield "factor", token.start, self.tokens[second[1] - 1].end, turned
        if self.begins_symbol(k, token):
            yield "factor", token.start, token.end, f"2 {self.tex[token.start : token.end]}"
        if token.kind == "command" and token.text in ("sum", "prod"):
            yield "factor", token.start, token.end, f"2 \\{token.text}"

    def begins_symbol(self, k: int, token: Token) -> bool:
        """A symbol that a 2 can be written before: not below ∂, not inside of an accent, not the 1 of \\frac1N."""
        if k and (self.tokens[k - 1].text in {"partial", "^", "_"} | FRACTIONS | set(ACCENTS)):
            return False
        if k > 1 and self.tokens[k - 1].text == "{" and self.tokens[k - 2].text in ACCENTS:
            return False
        if token.kind == "letter":
            return token.text != "e"
        return token.kind == "command" and (token.text in GREEK or token.text in ACCENTS)

    def index(self, k: int, token: Token, role: str):
        if role == "binder" and token.kind == "number":
            yield "index", token.start, token.end, str(int(token.text) + 1)
        if role not in ("index", "binder"):
            return
        if token.kind == "letter" and token.text.islower():
            yield "index", token.start, token.end, self.another(token.text)
        if role == "index" and token.kind == "number":
            yield "index", token.start, token.end, str(int(token.text) + 1)
        if role == "index" and self.tokens[k - 1].text == "_" and token.text != "{":
            yield "index", self.tokens[k - 1].start, token.end, ""
        if role == "index" and token.text == "{" and self.tokens[k - 1].text == "_":
            first, last = self.group(k)
            if all(t.kind in ("letter", "number") for t in self.tokens[first + 1 : last - 1]):
                yield "index", self.tokens[k - 1].start, self.tokens[last - 1].end, ""

    def another(self, letter: str) -> str:
        """Another index of the equation if it has one, else one of the same range."""
        mine = [
            t.text
            for t, role in zip(self.tokens, self.roles(), strict=True)
            if role in ("index", "binder") and t.kind == "letter" and t.text.islower()
        ]
        others = [other for other in dict.fromkeys(mine) if other != letter]
        return others[0] if others else ("k" if letter != "k" else "i")

    def accent(self, k: int, token: Token, role: str):
        if role in ("index", "binder", "bound"):
            return
        if token.kind == "command" and token.text in ACCENTS:
            other = "bar" if ACCENTS[token.text] == "hat" else "hat"
            yield "accent", token.start, token.end, f"\\{other}" + ("" if self.tokens[k + 1].text == "{" else " ")
            first, last = self.group(k + 1)
            yield "accent", token.start, self.tokens[last - 1].end, self.text(first, last).strip("{} ") + " "
            return
        accented = k and (
            self.tokens[k - 1].text in ACCENTS
            or (self.tokens[k - 1].text == "{" and k > 1 and self.tokens[k - 2].text in ACCENTS)
        )
        if accented or (k and self.tokens[k - 1].text in ({"^", "_"} | FRACTIONS)):
            return
        if token.text in ("x", "mu", "sigma") and token.kind in ("letter", "command"):
            plain = "x" if token.text == "x" else "\\" + token.text
            accent = "hat" if token.text == "x" else "bar"
            yield "accent", token.start, token.end, f"\\{accent}{{{plain}}}"
