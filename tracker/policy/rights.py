"""Who may do what: a role in a company gives rights, each role those of the ones below it as well."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from tracker.errors import Rejected


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
    """What a program may do with its key: a key opens those that it was made for, and nothing else."""

    CALLS_READ = "calls:read"  # calls, what goes on now
    CALLS_WRITE = "calls:write"  # say what a call was worth, who is responsible for a caller
    CALLS_REPORT = "calls:report"  # tell calls of a phone system
    CALLBACKS_READ = "callbacks:read"  # who asked to be called back, and what became of it
    CALLBACKS_WRITE = "callbacks:write"  # ask for one
    RECORDINGS_READ = "recordings:read"  # listen
    RECORDINGS_WRITE = "recordings:write"  # delete the sound
    VISITS_READ = "visits:read"  # visits and who holds which number
    SETTINGS_READ = "settings:read"  # numbers, pools, channels, sites, plans, who rings
    SETTINGS_WRITE = "settings:write"
    MONEY_READ = "money:read"  # costs, rents, sales
    MONEY_WRITE = "money:write"
    REPORTS_READ = "reports:read"
    DELIVERIES_READ = "deliveries:read"  # destinations, and what became of each call there
    DELIVERIES_WRITE = "deliveries:write"
    USERS_READ = "users:read"  # people, their roles, what was changed by whom
    USERS_WRITE = "users:write"


# Words for several of them.
SEVERAL = {
    "money": frozenset(
        (
            Scope.MONEY_READ,
            Scope.MONEY_WRITE,
            Scope.REPORTS_READ,
            Scope.CALLBACKS_READ,
            Scope.CALLBACKS_WRITE,
        )
    ),
    "calls": frozenset((Scope.CALLS_REPORT,)),
    "read": frozenset(it for it in Scope if it.endswith(":read")),
}
MONEY = SEVERAL["money"]


def read_scopes(words: Iterable[str]) -> frozenset[Scope]:
    """What those words open. Raises Rejected key.scopes for one that is none, and for none at all."""
    found: set[Scope] = set()
    for word in words:
        if word not in SEVERAL and word not in set(Scope):
            raise Rejected(
                "key.scopes",
                "%(word)r is nothing that a key can be for",
                "Give one or several of %(words)s",
                word=word[:40],
                words=[*SEVERAL, *Scope],
            )
        found |= SEVERAL.get(word) or {Scope(word)}
    if not found:
        raise Rejected("key.scopes", "A key is for something", "Choose what it may do")
    return frozenset(found)


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
