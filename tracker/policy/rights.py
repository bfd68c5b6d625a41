"""Who may do what: a role in a company gives rights, each role those of the ones below it as well."""

from __future__ import annotations

import enum


class Role(enum.StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MANAGER = "manager"
    LISTENER = "listener"


class Right(enum.StrEnum):
    """Something that a role may allow."""

    LISTEN = "listen"  # see calls, listen to recordings
    JUDGE = "judge"  # say what a call was worth: categories, tags, notes, visitor codes


_NEEDS = {Right.LISTEN: Role.LISTENER, Right.JUDGE: Role.MANAGER}
_RANKS = tuple(reversed(Role))  # the humblest first


def may(role: Role, right: Right) -> bool:
    """Whether that role has that right."""
    return _RANKS.index(role) >= _RANKS.index(_NEEDS[right])
