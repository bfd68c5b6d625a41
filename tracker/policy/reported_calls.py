"""Calls that another phone system reports: each row is read, left out, or said to be bad and why.

    how = How(dids=Dids(numbers, "DE"), region="DE", zone=None, now=now)
    read_row(1, {"reference": "4711", "did": "+4930…", "started_at": "2026-11-30T14:30:00+01:00", …}, how)

A row has our words as texts, whoever tells it: a program, or a line of a phone system's own records by way of
tracker.policy.cdr. What cannot be known is not made up; what is no call of a customer is left out.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tracker.errors import Rejected, Said, say
from tracker.policy.clocks import settle
from tracker.policy.cost_list import BadValue
from tracker.policy.dates import Dates
from tracker.policy.facts import Direction, Outcome, Presentation
from tracker.policy.phone import normalise_caller, read_number, spellings
from tracker.policy.tables import BadCell, Unreadable

COLUMNS = (
    "reference", "did", "caller", "caller_name", "started_at", "ring_seconds", "talk_seconds", "answered_at",
    "ended_at", "outcome", "extension", "employee", "direction", "recording_url",
)  # fmt: skip
NODE = "beside:"  # what the books have as the node of such calls, before the system's name
LONGEST = timedelta(hours=24)
AHEAD = timedelta(minutes=10)  # how far a phone system's clock may be before ours
_SYSTEM = re.compile(r"[a-z0-9][a-z0-9._-]{0,29}")
_LENGTHS = {"reference": 100, "caller_name": 200, "employee": 60, "extension": 30, "recording_url": 500}
_WITHHELD = frozenset(("withheld", "anonymous", "private", "restricted", "hidden", "clir"))
_UNKNOWN = frozenset(("", "unknown", "unavailable", "none", "null", "-", "s", "<unknown>"))
_IN = frozenset(("", "in", "inbound", "incoming", "i"))
_OUT = frozenset(("out", "outbound", "outgoing", "o"))
_INTERNAL = frozenset(("internal", "local", "int"))
_OUTCOMES = {
    Outcome.ANSWERED: "answered answer completed connected ok",
    Outcome.MISSED: "missed noanswer no_answer unanswered voicemail timeout",
    Outcome.BUSY: "busy",
    Outcome.FAILED: "failed congestion unavailable chanunavail error unreachable",
    Outcome.GAVE_UP: "gave_up cancel cancelled canceled abandoned gaveup",
    Outcome.REFUSED: "refused rejected declined",
}
_OUTCOME_OF = {word: outcome for outcome, words in _OUTCOMES.items() for word in words.split()}
_CLOCK = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,3}):([0-9]{2})")
_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class ReportedLine:
    """A call as a row tells it; `doubtful`: its clock showed that time twice, and the first was taken."""

    line: int
    reference: str
    part: str
    did: str
    caller: str
    presentation: Presentation
    caller_name: str
    at: datetime
    answered_at: datetime | None
    ended_at: datetime
    outcome: Outcome
    employee: str
    recording_url: str
    direction: Direction
    doubtful: bool = False


class LeftOut(Exception):
    """A row of no interest: an internal call, a number that is not entered here."""

    def __init__(self, why: str, did: str = "") -> None:
        super().__init__(why)
        self.why, self.did = why, did


class Dids:
    """The company's numbers, in every spelling in which a phone system may have them."""

    def __init__(self, numbers: Iterable[str], region: str) -> None:
        self.numbers, self.region = frozenset(numbers), region

    def find(self, text: str) -> str | None:
        """The number (E.164) of ours that is meant; None for one that is not ours, or could be two."""
        plain = re.sub(r"[^0-9+]", "", text[:60])
        if not plain or plain in self.numbers:
            return plain or None
        read = normalise_caller(plain, Presentation.ALLOWED, self.region)
        if read in self.numbers:
            return read
        return _spelt(self.numbers, self.region).get(plain)


@dataclass(frozen=True)
class How:
    """How rows are to be read; `zone`: whose clocks they have, None where each has to say it itself."""

    dids: Dids
    region: str
    zone: ZoneInfo | None
    now: datetime
    dates: Dates = field(default_factory=lambda: Dates(()))
    did: str | None = None  # of rows that name none
    strict: bool = True  # a number that is not ours is a mistake, and not left out


@dataclass(frozen=True)
class FoundCalls:
    """What a list has: calls, what is wrong, what was left out (how often, by reason) and whose numbers."""

    lines: Sequence[ReportedLine]
    problems: Sequence[BadCell]
    left_out: Mapping[str, int]
    strange: Mapping[str, int]  # numbers that are not entered here, how often


def read_rows(rows: Iterable[tuple[int, Mapping[str, str] | Said]], how: How) -> FoundCalls:
    """The calls of numbered rows; a row that is a text is bad for that reason."""
    lines, problems = [], []
    left_out: Counter[str] = Counter()
    strange: Counter[str] = Counter()
    for number, row in rows:
        try:
            if isinstance(row, Said):
                raise BadValue("", row)
            lines.append(read_row(number, row, how))
        except LeftOut as out:
            left_out[out.why] += 1
            strange.update([out.did] if out.did else [])
        except BadValue as bad:
            problems.append(BadCell(number, bad.column, bad.said))
    return FoundCalls(lines, problems, left_out, strange)


def read_row(line: int, row: Mapping[str, str], how: How) -> ReportedLine:
    """The call of a row. Raises BadValue, or LeftOut."""
    direction = _direction(row)
    did = _did(row, how)
    at, doubtful = _instant(row, "started_at", how, needed=True)
    assert at is not None  # noqa: S101  (it is needed)
    if at > how.now + AHEAD:
        raise BadValue("started_at", say("'%(text)s' has not come yet: is its zone right?", text=_shown(row)))
    answered_at, ended_at, outcome = _course(row, at, how)
    caller, presentation = _caller(row)
    employee, extension = _text(row, "employee"), _text(row, "extension")
    reference = _text(row, "reference")
    if not reference:
        raise BadValue("reference", say("it is empty: by it the same call is known again"))
    return ReportedLine(
        line, reference, row.get("part", ""), did, caller, presentation,
        _text(row, "caller_name"), at, answered_at, ended_at, outcome,
        _who(employee, extension),
        _url(row), direction, doubtful,
    )  # fmt: skip


def _who(employee: str, extension: str) -> str:
    both = employee and extension not in {"", employee}
    return f"{employee} ({extension})" if both else employee or extension


def key_of(company_id: int, system: str, reference: str) -> str:
    """The key of the call that this system of the company's knows by that reference."""
    text = "\0".join((str(company_id), system, reference))
    return "r" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def read_system(text: str) -> str:
    """The name of a phone system. Raises Rejected system.name."""
    name = text.strip()
    if not _SYSTEM.fullmatch(name):
        raise Rejected(
            "system.name",
            "%(text)r cannot be the name of a phone system",
            "Give 1 to 30 small letters, digits and . _ -, beginning with a letter or digit",
            text=text[:40],
        )
    return name


def _direction(row: Mapping[str, str]) -> Direction:
    """Which way the call went. Raises LeftOut for an internal one."""
    word = row.get("direction", "").strip().casefold()
    if word in _INTERNAL:
        raise LeftOut("internal")
    if word in _OUT:
        return Direction.OUT
    if word not in _IN:
        raise BadValue("direction", say("'%(text)s' is none: give in, out or internal", text=word[:20]))
    return Direction.IN


def _did(row: Mapping[str, str], how: How) -> str:
    told = [text for name in ("did", "did_else") if (text := row.get(name, "").strip())]
    for text in told or ([how.did] if how.did else []):
        if (found := how.dids.find(text)) and found in how.dids.numbers:
            return found
    if not told:
        raise BadValue("did", say("it is empty: which number was dialled?"))
    if how.strict:
        raise BadValue(
            "did",
            say("'%(text)s' is no number entered here: `leaseline number add`", text=told[0][:40]),
        )
    raise LeftOut("number", told[0][:40])


def _caller(row: Mapping[str, str]) -> tuple[str, Presentation]:
    text = row.get("caller", "").strip()
    if text.casefold() in _WITHHELD:
        return "", Presentation.WITHHELD
    if text.casefold() in _UNKNOWN:
        return "", Presentation.UNAVAILABLE
    digits = re.sub(r"[^0-9+]", "", text[:60])
    if not digits:
        raise BadValue("caller", say("'%(text)s' is no telephone number", text=text[:40]))
    return digits, Presentation.ALLOWED


def _course(row: Mapping[str, str], at: datetime, how: How) -> tuple[datetime | None, datetime, Outcome]:
    """When the call was answered, when it ended, and how."""
    ring, talk = _seconds(row, "ring_seconds"), _seconds(row, "talk_seconds")
    answered_at, ended_at = (_instant(row, name, how)[0] for name in ("answered_at", "ended_at"))
    outcome = _outcome(row) or (Outcome.ANSWERED if answered_at or talk else Outcome.MISSED)
    if outcome is Outcome.ANSWERED:
        answered_at = answered_at or _answer(at, ring, talk, ended_at)
        ended_at = ended_at or (answered_at + talk if talk is not None else None)
        if ended_at is None:
            raise BadValue("ended_at", say("an answered call needs ended_at or talk_seconds"))
    else:
        answered_at, ended_at = None, ended_at or at + (ring or timedelta())
    if not at <= (answered_at or at) <= ended_at <= at + LONGEST:
        raise BadValue("ended_at", say("the times are in no order, or the call took more than a day"))
    return answered_at, ended_at, outcome


def _answer(
    at: datetime, ring: timedelta | None, talk: timedelta | None, ended_at: datetime | None
) -> datetime:
    """When it was answered, as far as that can be told: a system that counts no ringing answers at once."""
    if ring is not None:
        return at + ring
    if talk is not None and ended_at is not None:
        return max(at, ended_at - talk)
    return at


def _outcome(row: Mapping[str, str]) -> Outcome | None:
    text = row.get("outcome", "").strip()
    word = re.sub(r"[\s-]+", "_", text.casefold())
    if not word:
        return None
    found = _OUTCOME_OF.get(word) or _OUTCOME_OF.get(word.replace("_", ""))
    if found is None:
        raise BadValue(
            "outcome",
            say("'%(text)s' is none: give one of %(words)s", text=text[:40], words=", ".join(Outcome)),
        )
    return found


def _seconds(row: Mapping[str, str], name: str) -> timedelta | None:
    text = row.get(name, "").strip()
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=float(text))
    if found := _CLOCK.fullmatch(text):
        return timedelta(hours=int(found[1] or 0), minutes=int(found[2]), seconds=int(found[3]))
    raise BadValue(name, say("'%(text)s' is no length of time: give seconds", text=text[:40]))


def _instant(
    row: Mapping[str, str], name: str, how: How, *, needed: bool = False
) -> tuple[datetime | None, bool]:
    text = row.get(name, "").strip()
    if not text and not needed:
        return None, False
    try:
        told = how.dates.told(text)
    except Unreadable as why:
        raise BadValue(name, why.said) from None
    if told.tzinfo is not None:
        return told.astimezone(UTC), False
    if how.zone is None:
        raise BadValue(name, say("'%(text)s' names no zone: end it with Z or +01:00", text=text[:40]))
    settled = settle(told, how.zone, _epoch(row) if name == "started_at" else None)
    if settled is None:
        raise BadValue(name, say("'%(text)s' was on no clock of %(zone)s", text=text[:40], zone=how.zone.key))
    return settled


def _epoch(row: Mapping[str, str]) -> datetime | None:
    """When a call began as its number in Asterisk says it: it tells two equal hours apart."""
    found = re.fullmatch(r"(?:[\w.-]*-)?([0-9]{10})\.[0-9]+", row.get("uniqueid", ""), re.ASCII)
    return datetime.fromtimestamp(int(found[1]), UTC) if found else None


def _text(row: Mapping[str, str], name: str) -> str:
    text = "".join(each for each in row.get(name, "") if each.isprintable()).strip()
    if len(text) > _LENGTHS[name]:
        raise BadValue(name, say("it is longer than %(longest)s characters", longest=_LENGTHS[name]))
    return text


def _url(row: Mapping[str, str]) -> str:
    text = _text(row, "recording_url")
    if text and not re.fullmatch(r"https?://[^\s\"'<>\\@]+", text):
        raise BadValue("recording_url", say("'%(text)s' is no address of the web", text=text[:40]))
    return text


def _shown(row: Mapping[str, str]) -> str:
    return row.get("started_at", "")[:40]


@lru_cache(maxsize=64)
def _spelt(numbers: frozenset[str], region: str) -> Mapping[str, str]:
    """Which number each spelling means; none where it means two."""
    found: dict[str, str | None] = {}
    for number in numbers:
        for form in spellings(number, region):
            found[form] = None if form in found else number
    return {form: number for form, number in found.items() if number is not None}


def read_did(text: str, region: str) -> str:
    """A number of rows that name none. Raises Rejected number.malformed."""
    return read_number(text, region)
