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
    ADMINISTER = "administer"  # invite people, give and take roles, read the audit log, change the settings


class Scope(enum.StrEnum):
    """What a program may do with its key, and nothing else."""

    MONEY = "money"  # tell costs and sales, read them and reports
    CALLS = "calls"  # report calls


_NEEDS = {Right.LISTEN: Role.LISTENER, Right.JUDGE: Role.MANAGER, Right.ADMINISTER: Role.ADMIN}
_RANKS = tuple(reversed(Role))  # the humblest first


def may(role: Role, right: Right) -> bool:
    """Whether that role has that right."""
    return _RANKS.index(role) >= _RANKS.index(_NEEDS[right])


def may_grant(own: Role, before: Role | None, after: Role | None) -> bool:
    """Whether who has the role `own` may make somebody's role `after` of `before`; None is no role.

    Nobody gives more than he has himself, or takes from who has more.
    """
    highest = max(_RANKS.index(role) for role in (before, after, Role.LISTENER) if role is not None)
    return may(own, Right.ADMINISTER) and _RANKS.index(own) >= highest
