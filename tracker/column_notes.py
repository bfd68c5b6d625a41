"""What each table and column means: the words that stand beside them in tracker/models.

There they are kept true by whoever changes a column; a second place would go stale.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from functools import cache
from types import ModuleType

from tracker.models import Base


def table_note(table: str) -> str | None:
    """What the rows of a table are."""
    model = _models().get(table)
    text = model.__doc__ if model and "__doc__" in vars(model) else None
    return inspect.cleandoc(text) if text else None


@cache
def notes_of(table: str) -> dict[str, str]:
    """What the columns of a table mean, where something is said of them."""
    model = _models().get(table)
    if model is None:
        return {}
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        module = inspect.getmodule(each)
        if module is not None and module.__name__.startswith("tracker.models"):
            found |= _class_notes(module).get(each.__name__, {})
    names = {key: column.name for key, column in model.__mapper__.columns.items()}
    return {names[key]: text for key, text in found.items() if key in names}


def _models() -> dict[str, type[Base]]:
    return {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}  # type: ignore[attr-defined]


@cache
def _class_notes(module: ModuleType) -> dict[str, dict[str, str]]:
    """By class and attribute, the comment above it and the one behind it."""
    try:
        source = inspect.getsource(module)
    except OSError:  # installed without sources
        return {}
    lines = source.splitlines()
    behind = _comments(source)
    return {
        each.name: {
            it.target.id: text
            for it in each.body
            if isinstance(it, ast.AnnAssign) and isinstance(it.target, ast.Name)
            and (text := _note(it, lines, behind))
        }
        for each in ast.parse(source).body
        if isinstance(each, ast.ClassDef)
    }  # fmt: skip


def _note(it: ast.AnnAssign, lines: list[str], behind: dict[int, str]) -> str:
    above: list[str] = []
    at = it.lineno - 1
    while at > 0 and lines[at - 1].strip().startswith("#"):
        above.insert(0, lines[at - 1].strip().lstrip("# "))
        at -= 1
    within = [behind[line] for line in range(it.lineno, (it.end_lineno or it.lineno) + 1) if line in behind]
    text = " ".join((*above, *within))
    return re.sub(r"\s*noqa:.*|\s*type: ignore.*|fmt: skip", "", text).strip()


def _comments(source: str) -> dict[int, str]:
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
