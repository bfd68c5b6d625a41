"""What may be suggested about a call, and who may say what it was worth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tracker.policy.facts import Outcome
from tracker.policy.rights import Right, Role, may, may_grant
from tracker.policy.worth import Category, Ground, Judged, suggest

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TARGET, SERVICE, NON_TARGET = Category


def ago(days: float, category: Category) -> Judged:
    return Judged(NOW - timedelta(days=days), category)


@pytest.mark.parametrize(
    ("talk", "earlier", "category", "ground"),
    [
        (3.0, [], NON_TARGET, Ground.SHORT_TALK),
        (8.0, [], None, None),
        (600.0, [], None, None),  # a long talk never says "target"
        (None, [], None, None),  # nobody answered
        (60.0, [ago(20, TARGET)], SERVICE, Ground.CLIENT),
        (60.0, [ago(20, SERVICE)], SERVICE, Ground.CLIENT),
        (60.0, [ago(120, TARGET)], None, None),  # so long after he may be buying anew
        (60.0, [ago(400, NON_TARGET)], NON_TARGET, Ground.NOBODYS_CLIENT),
        (60.0, [ago(9, NON_TARGET), ago(2, TARGET)], SERVICE, Ground.CLIENT),  # the newest counts
        (60.0, [ago(-1, NON_TARGET)], None, None),  # a later call says nothing
        (2.0, [ago(20, TARGET)], SERVICE, Ground.CLIENT),
    ],
)
def test_suggestions_rest_on_what_people_said_and_never_say_target(
    talk: float | None, earlier: list[Judged], category: Category | None, ground: Ground | None
) -> None:
    found = suggest(Outcome.ANSWERED, talk, NOW, earlier)
    assert (found and found.category, found and found.ground) == (category, ground)


def test_nothing_is_suggested_while_the_call_goes_on() -> None:
    assert suggest(None, 2.0, NOW, [ago(1, NON_TARGET)]) is None


@pytest.mark.parametrize(
    ("role", "listens", "judges"),
    [
        (Role.LISTENER, True, False),
        (Role.MANAGER, True, True),
        (Role.ADMIN, True, True),
        (Role.OWNER, True, True),
    ],
)
def test_roles_give_rights(role: Role, listens: bool, judges: bool) -> None:
    assert (may(role, Right.LISTEN), may(role, Right.JUDGE)) == (listens, judges)


@pytest.mark.parametrize(
    ("own", "before", "after", "allowed"),
    [
        (Role.MANAGER, None, Role.LISTENER, False),
        (Role.ADMIN, None, Role.ADMIN, True),
        (Role.ADMIN, None, Role.OWNER, False),
        (Role.ADMIN, Role.OWNER, Role.LISTENER, False),
        (Role.ADMIN, Role.OWNER, None, False),
        (Role.ADMIN, Role.ADMIN, None, True),
        (Role.OWNER, Role.OWNER, Role.LISTENER, True),
        (Role.OWNER, None, Role.OWNER, True),
    ],
)
def test_nobody_gives_or_takes_more_than_he_has(
    own: Role, before: Role | None, after: Role | None, allowed: bool
) -> None:
    assert may_grant(own, before, after) is allowed
