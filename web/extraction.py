"""How `make words` finds the texts in Python: those of gettext, and those that tracker/ says in English.

The latter are the texts of `Rejected(…)` and `say(…)`; they have a context of their own, so that they are
translated as sentences of refusals.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

from babel.messages.extract import extract_python

SAID = "refusal"  # the context, which web.refusals asks for
_TEXTS = {"Rejected": slice(1, 3), "say": slice(0, 1)}  # which of a call's arguments they are

Found = tuple[Any, ...]


def extract(
    file: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: Any
) -> Iterator[Found]:
    """Babel's extraction method: (line, function, its arguments, comments)."""
    yield from extract_python(file, keywords, comment_tags, options)
    file.seek(0)
    for line, text in said_in(ast.parse(file.read())):
        yield line, "pgettext", (SAID, text), []


def said_in(source: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of everything that is said in a module."""
    for argument in arguments(source):
        for part in _alternatives(argument):
            if isinstance(part, ast.Constant) and part.value:
                yield part.lineno, str(part.value)


def arguments(source: ast.AST) -> Iterator[ast.expr]:
    """What stands in a module where a text is wanted: a constant, a choice of two, or a name of one."""
    for node in ast.walk(source):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            yield from node.args[_TEXTS.get(name, slice(0, 0))]


def _alternatives(argument: ast.expr) -> Iterator[ast.expr]:
    if isinstance(argument, ast.IfExp):
        yield from _alternatives(argument.body)
        yield from _alternatives(argument.orelse)
    else:
        yield argument
