"""The marks of views that need no log-in, that pages of other sites speak to, that take an API key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

_PUBLIC: set[Callable[..., Any]] = set()
_FROM_ANYWHERE: set[Callable[..., Any]] = set()
_BY_KEY: set[Callable[..., Any]] = set()


def public(view: View) -> View:
    """Marks a view that needs no log-in. A forgotten mark locks a page, never opens it."""
    _PUBLIC.add(view)
    return view


def is_public(view: Callable[..., Any]) -> bool:
    return view in _PUBLIC


def from_anywhere(view: View) -> View:
    """Marks a view that other sites' pages speak to: it needs no log-in and no form token.

    It must look at no session and no log-in cookie, for a page anywhere may call it with its visitor's.
    """
    _FROM_ANYWHERE.add(view)
    return public(view)


def is_from_anywhere(view: Callable[..., Any] | None) -> bool:
    return view in _FROM_ANYWHERE


def by_key(view: View) -> View:
    """Marks a view that a program may ask with an API key instead of a log-in, for its company alone."""
    _BY_KEY.add(view)
    return view


def is_by_key(view: Callable[..., Any] | None) -> bool:
    return view in _BY_KEY
