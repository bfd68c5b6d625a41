"""The mark of a view that needs no log-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

_PUBLIC: set[Callable[..., Any]] = set()


def public(view: View) -> View:
    """Marks a view that needs no log-in. A forgotten mark locks a page, never opens it."""
    _PUBLIC.add(view)
    return view


def is_public(view: Callable[..., Any]) -> bool:
    return view in _PUBLIC
