"""Which sections does the checker point to that the book does not have yet?

Each label with the words that stand in its place until then. A label that the book gets moves to ``book.PAGES``.
"""

UNWRITTEN: dict[str, str] = {}
