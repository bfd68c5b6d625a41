"""The marks of views that need no log-in, that pages of other sites speak to, that take an API key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tracker.policy.rights import Scope

View = TypeVar("View", bound=Callable[..., Any])

_PUBLIC: set[Callable[..., Any]] = set()
_FROM_ANYWHERE: set[Callable[..., Any]] = set()
_BY_KEY: dict[Callable[..., Any], Scope] = {}


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


def by_key_for(scope: Scope) -> Callable[[View], View]:
    """Marks a view that a program may ask with a key of that scope instead of a log-in, for its company."""

    def mark(view: View) -> View:
        _BY_KEY[view] = scope
        return view

    return mark


def scope_of(view: Callable[..., Any] | None) -> Scope | None:
    """Which keys open the view; None: none does."""
    return _BY_KEY.get(view) if view else None
