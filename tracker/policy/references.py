"""References of costs and sales: an order's number that was told, or what we know a row again by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

# Beginnings of those that are ours: of a list's row without a reference, of a form that was sent.
WORDS, ROW, FORM = "words:", "row:", "form:"


def told(reference: str | None) -> str | None:
    """The reference as it was told; None for one of ours, which says nothing to anybody."""
    return None if reference is None or reference.startswith((WORDS, ROW, FORM)) else reference


def of_form(key: str, typed: Mapping[str, str]) -> str | None:
    """What one sending of a form is known again by: its key, and what was typed; None for a form without one.

    The same form sent twice, by a double click, is one sale. Filled in otherwise, after going back to it, it
    is another.
    """
    if not key:
        return None
    text = "\0".join([key, *(f"{name}={typed[name]}" for name in sorted(typed))])
    return FORM + hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]
