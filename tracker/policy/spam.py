"""Whether a caller's call rings: the company's rules, what its watch finds suspicious, who has shown himself.

    decide("+74951234567", rules, watch, recent, number_id=3, passed=False, now=now)

A rule that lets callers through wins over every other. Of the rules that block, the one for this very number
goes before those for prefixes, a longer prefix before a shorter one. Only a person is asked for a digit, and
whoever has pressed it is not asked again for a while.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.policy.facts import GuardGround, Treatment
from tracker.policy.phone import place_of

LONGEST_DIGITS = 16  # of a rule, its + included
DIGITS = "23456789"  # that a caller may be asked for: machines press 0 and 1 unasked
CHALLENGE_TRIES = 2
CHALLENGE_SECONDS = 7  # that one may take to find the key
NUMBERS_WITHIN = timedelta(minutes=10)
RECENT = timedelta(days=1)
MOST_RECENT = 200  # calls that are looked at


class RuleKind(enum.StrEnum):
    """Which callers a rule is about."""

    NUMBER = "number"
    PREFIX = "prefix"
    WITHHELD = "withheld"  # they show no number


@dataclass(frozen=True)
class Rule:
    """`digits` is an E.164 number or the beginning of one, "" for callers who withhold theirs."""

    id: int
    kind: RuleKind
    digits: str
    allows: bool
    treatment: Treatment
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Watch:
    """From how many calls on a caller is suspicious; 0 and an empty tuple: it is not looked at."""

    per_minute: int = 0
    per_hour: int = 0
    per_day: int = 0
    numbers: int = 0  # different ones of ours within ten minutes
    short_calls: int = 0  # within an hour
    short_seconds: int = 6
    countries: tuple[str, ...] = ()  # ISO 3166, from which calls are expected

    @property
    def counts(self) -> bool:
        """Whether a caller's earlier calls matter."""
        return bool(self.per_minute or self.per_hour or self.per_day or self.numbers or self.short_calls)


@dataclass(frozen=True)
class Earlier:
    """A call of the same caller. `seconds`: how long it lasted since it was taken; None: it goes on."""

    at: datetime
    number_id: int
    seconds: float | None


@dataclass(frozen=True)
class Ring:
    """Nothing keeps the call from ringing."""


@dataclass(frozen=True)
class Block:
    rule_id: int
    treatment: Treatment


@dataclass(frozen=True)
class Challenge:
    ground: GuardGround
    rule_id: int | None = None


Decision = Ring | Block | Challenge
RING = Ring()


def beginnings(caller: str | None) -> tuple[str, ...]:
    """Every `digits` a rule about this caller may have: his number, what it begins with, "" for none."""
    if not caller:
        return ("",)
    return tuple(caller[:length] for length in range(1, min(len(caller), LONGEST_DIGITS) + 1))


def decide(
    caller: str | None,
    rules: Iterable[Rule],
    watch: Watch | None,
    recent: Sequence[Earlier],
    *,
    number_id: int,
    passed: bool,
    now: datetime,
) -> Decision:
    """What becomes of a call of `caller`, None for one who shows no number, to the number `number_id`.

    `recent` are his earlier calls of the last day, `passed` says that he was challenged lately and showed
    himself to be a person. Without a watch nobody is suspicious.
    """
    rule = deciding(rules, caller, now)
    if rule is not None and rule.allows:
        return RING
    if rule is not None:
        if rule.treatment is not Treatment.CHALLENGED:
            return Block(rule.id, rule.treatment)
        return RING if passed else Challenge(GuardGround.RULE, rule.id)
    if watch is None or caller is None or passed:
        return RING
    ground = suspicion(caller, watch, recent, number_id, now)
    return RING if ground is None else Challenge(ground)


def deciding(rules: Iterable[Rule], caller: str | None, now: datetime) -> Rule | None:
    """The rule that decides about this caller, if any is about him."""
    about = [rule for rule in rules if is_about(rule, caller, now)]
    return max(about, key=_strength, default=None)


def is_about(rule: Rule, caller: str | None, now: datetime) -> bool:
    """Whether the rule holds and is about this caller."""
    if rule.expires_at is not None and rule.expires_at <= now:
        return False
    if rule.kind is RuleKind.WITHHELD:
        return caller is None
    if caller is None:
        return False
    return caller == rule.digits if rule.kind is RuleKind.NUMBER else caller.startswith(rule.digits)


def suspicion(
    caller: str, watch: Watch, recent: Sequence[Earlier], number_id: int, now: datetime
) -> GuardGround | None:
    """What makes this call suspicious, if anything does; the call itself is counted."""
    counted = (
        (GuardGround.MINUTE, watch.per_minute, timedelta(minutes=1)),
        (GuardGround.HOUR, watch.per_hour, timedelta(hours=1)),
        (GuardGround.DAY, watch.per_day, RECENT),
    )
    for ground, most, within in counted:
        if most and 1 + sum(_within(it, now, within) for it in recent) >= most:
            return ground
    tried = {number_id, *(it.number_id for it in recent if _within(it, now, NUMBERS_WITHIN))}
    if watch.numbers and len(tried) >= watch.numbers:
        return GuardGround.NUMBERS
    if watch.short_calls and _short(watch, recent, now) >= watch.short_calls:
        return GuardGround.SHORT
    return GuardGround.COUNTRY if _is_unexpected(caller, watch) else None


def _within(it: Earlier, now: datetime, time: timedelta) -> bool:
    return now - time < it.at <= now


def _short(watch: Watch, recent: Sequence[Earlier], now: datetime) -> int:
    return sum(
        it.seconds is not None and it.seconds < watch.short_seconds
        for it in recent
        if _within(it, now, timedelta(hours=1))
    )


def _is_unexpected(caller: str, watch: Watch) -> bool:
    """Whether the caller is of another country; of a number that names none nothing is known."""
    if not watch.countries:
        return False
    place = place_of(caller)
    return place is not None and place.country is not None and place.country not in watch.countries


def _strength(rule: Rule) -> tuple[bool, bool, int]:
    return rule.allows, rule.kind is RuleKind.NUMBER, len(rule.digits)
