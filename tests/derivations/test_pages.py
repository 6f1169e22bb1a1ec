"""Every displayed equation is found where it stands, and none is passed over in silence."""

from .pages import read_page, reading_order

PAGE = r"""---
title: $$ not an equation $$
---

# A page

$$
a = b
$$ (eq-first)

Text with `$$ code $$` and $x$ inline.

```python
"$$ shown = code $$"
```

````{exercise}
:label: exercise-one

```{code-cell}
x = "$$ cell = code $$"  # approx-third: measured
```

$$ c = d $$ (def-second)
````

:::{dropdown} Answer
```{math}
:label: approx-third

e \approx f
```
:::

$$
\text{dense} \;\to\; \text{batch norm}
$$
"""


def test_equations_are_found_inside_of_directives_and_not_inside_of_code():
    page = read_page(PAGE, "page.md")
    assert [equation.label for equation in page.equations] == ["eq-first", "def-second", "approx-third"]
    assert [equation.kind for equation in page.equations] == ["eq", "def", "approx"]
    assert not page.problems


def test_positions_are_those_of_the_text():
    page = read_page(PAGE, "page.md")
    for equation in page.equations:
        assert PAGE[equation.start :].startswith(equation.tex)
    assert page.equations[0].line == 7


def test_code_is_what_the_cells_run():
    code = read_page(PAGE, "page.md").code
    assert "approx-third" in code
    assert "shown" not in code


def test_what_would_be_skipped_is_a_problem():
    for text, complaint in [
        ("$$ a = b $$", "without label"),
        ("$$ a \\approx b $$\n", "without label"),
        ("$$ a = b $$ (prop-x)", "does not begin with"),
        ("$$ a = b $$ (eq-X)", "does not begin with"),
        ("```{math}\na = b\n```", "without label"),
        ("\\begin{align}\na &= b\n\\end{align}", "not read"),
        ("$$ a = b", "not read"),
        ("> quoted\n\n$$ a = b $$ (eq-a)\n\n$$", "not read"),
    ]:
        problems = read_page(text, "page.md").problems
        assert len(problems) >= 1, text
        assert complaint in problems[0], text


def test_pages_come_in_the_order_of_the_contents(tmp_path):
    book = tmp_path / "book"
    (book / "part").mkdir(parents=True)
    for name in ("index", "part/b", "part/a", "unlisted"):
        (book / f"{name}.md").write_text("# page")
    (tmp_path / "_toc.yml").write_text("root: index\nparts:\n- chapters:\n  - file: part/b\n  - file: part/a\n")
    names = [path.relative_to(book).as_posix() for path in reading_order(book)]
    assert names == ["index.md", "part/b.md", "part/a.md", "unlisted.md"]
