"""What a person types to name unwanted callers, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tracker.errors import Rejected
from tracker.policy.facts import Treatment
from tracker.policy.phone import dialling_of, read_number
from tracker.policy.spam import LONGEST_DIGITS, RuleKind

MOST_RULES = 10_000  # of a company: they are all written into Asterisk's configuration
SHORTEST_PREFIX = 2  # digits; what is shorter would be a good part of the world
REASON_LONGEST = 200
_WITHHELD = frozenset({"withheld", "anonymous", "hidden"})
_PREFIX = re.compile(r"\s*(\+?[\d\s().\-/\u2010-\u2015\u00a0]{1,40})\*\s*")


@dataclass(frozen=True)
class Callers:
    """Whom a rule is about. `digits` is as tracker.policy.spam.Rule has it."""

    kind: RuleKind
    digits: str

    @property
    def word(self) -> str:
        """`+74951234567`, `+7495*`, `withheld`: what `read_callers` takes."""
        if self.kind is RuleKind.WITHHELD:
            return "withheld"
        return self.digits + ("*" if self.kind is RuleKind.PREFIX else "")


def may_be_blocked(caller: str | None) -> bool:
    """Whether he shows a telephone number that a rule may be about."""
    return caller is not None and re.fullmatch(r"\+[0-9]{3,15}", caller, re.ASCII) is not None


def read_callers(text: str, region: str) -> Callers:
    """A number, the beginning of numbers with a star behind it, or `withheld`.

    Raises Rejected `block.prefix` and `number.malformed`.
    """
    if text.strip().casefold() in _WITHHELD:
        return Callers(RuleKind.WITHHELD, "")
    if found := _PREFIX.fullmatch(text):
        return Callers(RuleKind.PREFIX, _prefix(found[1], region))
    return Callers(RuleKind.NUMBER, read_number(text, region))


def _prefix(text: str, region: str) -> str:
    digits = re.sub(r"[^0-9]", "", text)
    if text.strip().startswith("+"):
        whole = digits
    elif digits.startswith("00"):
        whole = digits[2:]
    else:
        home = dialling_of(region)
        whole = home.code + digits.removeprefix(home.trunk)
    if not SHORTEST_PREFIX <= len(whole) < LONGEST_DIGITS or whole.startswith("0"):
        raise Rejected(
            "block.prefix",
            "%(text)r is no beginning of telephone numbers",
            "Give at least two digits and a star, like +7495*",
            text=text.strip()[:40],
        )
    return "+" + whole


def read_treatment(word: str) -> Treatment | None:
    """What a blocked caller gets; "" and "usual": what the company usually does. Raises `block.treatment`."""
    if word in {"", "usual"}:
        return None
    try:
        return Treatment(word)
    except ValueError:
        raise Rejected(
            "block.treatment",
            "%(word)r is nothing that a blocked caller can get",
            "Choose among %(words)s",
            word=word[:20],
            words=list(Treatment),
        ) from None


def read_countries(text: str) -> tuple[str, ...]:
    """Countries from which calls are expected, as `DE, AT`; none for "" and `any`."""
    words = re.split(r"[\s,;]+", text.strip().upper())
    return () if words in ([""], ["ANY"]) else tuple(sorted({word for word in words if word}))


def read_expiry(text: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When a rule ends: days as `30d`, or a last day as 2026-12-31; "" never. Raises `block.expiry`."""
    text = text.strip()
    if not text:
        return None
    if days := re.fullmatch(r"([0-9]{1,4})d", text, re.ASCII):
        ends_at = now + timedelta(days=int(days[1]))
    else:
        ends_at = _after(text, zone)
    if ends_at <= now:
        raise Rejected("block.expiry", "%(text)s is over", "Give a day to come", text=text[:20])
    return ends_at


def _after(text: str, zone: ZoneInfo) -> datetime:
    """The first instant after a day."""
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
            raise ValueError(text)
        day = date.fromisoformat(text)
        if day.year > 2200:
            raise ValueError(text)
    except ValueError:
        raise Rejected(
            "block.expiry", "%(text)r is no day", "Give days as 30d, or a day as 2026-12-31", text=text[:20]
        ) from None
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
