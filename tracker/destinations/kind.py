"""What a kind of destination is: its fields, its clock, whom it may be told of, and how it is asked.

A kind is one file in this folder and one line of `KINDS`. It neither touches the database nor opens a
connection by itself: it is handed parcels and a line to the other system.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode

from tracker.errors import Said, say
from tracker.outside import Reply
from tracker.policy.delivering import Event, Hold, Timing, Why, is_transient, retry_after
from tracker.policy.parcels import CallFacts
from tracker.policy.telling import Answer
from tracker.policy.tongue import Tongue


class FieldKind(enum.StrEnum):
    """How a field is typed and checked."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105  (a word)
    URL = "url"
    CHOICE = "choice"
    YES_NO = "yes_no"
    MONEY = "money"
    EMAIL = "email"


@dataclass(frozen=True)
class Field:
    """Something to fill in: `form` is the pattern that is accepted, `hint` where it is found over there.

    `signs`: a secret that signs what is sent, and is never sent itself.
    """

    name: str
    label: Said
    hint: Said
    kind: FieldKind = FieldKind.TEXT
    required: bool = True
    usual: str = ""
    form: str = ""
    choices: tuple[str, ...] = ()
    signs: bool = False


HOLD_DAYS = "hold_days"


def hold_field(usual: int, most: int) -> Field:
    """How long a call waits for its category: from none to `most` days."""
    hint = say("0 to %(most)s: so long a call waits for it, and is sent at once when it is set", most=most)
    form = "|".join(str(day) for day in range(most + 1))
    return Field(HOLD_DAYS, say("Days for the category"), hint, required=False, usual=str(usual), form=form)


class Line(Protocol):
    """The way to another system, as one destination is configured."""

    @property
    def options(self) -> Mapping[str, str]: ...
    @property
    def secrets(self) -> Mapping[str, str]: ...
    @property
    def now(self) -> datetime: ...
    def ask(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Raises tracker.outside.Trouble."""
        ...

    def mail(self, to: str, key: str, subject: str, text: str) -> Answer:
        """Send an e-mail by the installation's own server; `to` is an address, or several with commas."""
        ...

    def tongue(self, language: str) -> Tongue:
        """What puts texts for people into a language."""
        ...

    def renew(self, fetch: Callable[[], Mapping[str, str]]) -> None:
        """Have secrets fetched anew: by one worker at a time, and kept before they are used.

        Raises what `fetch` raises, and tracker.outside.Trouble while another worker is at it.
        """
        ...


@dataclass(frozen=True)
class Parcel:
    """One delivery with everything it tells. `key` is the same at every try."""

    key: str
    event: Event
    revision: int
    created_at: datetime  # of what is told
    call: CallFacts
    progress: MutableMapping[str, Any] = field(default_factory=dict)  # kept from try to try


Send = Callable[[Line, Sequence[Parcel]], Iterator[Answer]]


class Stop(Exception):
    """What was answered on the way to a parcel's end, and ends this try."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


class ShutOut(Stop):
    """We are not let in any more, nor will we be until a person connects the destination."""


@dataclass(frozen=True)
class Verdict:
    """What the other side says later of a parcel that it took: it counts, is refused, or is still open."""

    text: str = ""
    refused: bool = False
    after: timedelta | None = None  # still open: ask again after so long
    receipt: str | None = None  # by which, where that has changed


Follow = Callable[[Line, str, Sequence[Parcel]], Sequence[Verdict]]


@dataclass(frozen=True)
class OAuth:
    """How a kind is let in by OAuth 2 (RFC 6749), by its options; see tracker.destinations.oauth."""

    authorize: Callable[[Mapping[str, str]], str]  # where a person allows it
    token: Callable[[Mapping[str, str]], str]  # where tokens are fetched
    ask: Callable[[Line, str, Mapping[str, str]], Reply]
    question: Mapping[str, str] = field(default_factory=dict)  # what is asked for beside the code
    says_redirect: bool = True  # the address to come back to is told at every step
    alone: bool = False  # without a refresh token the application logs in as itself


@dataclass(frozen=True)
class Kind:
    """A kind of destination. `send` yields one answer a parcel, in their order, and may stop early."""

    word: str
    title: str
    about: Said  # what arrives there, in one sentence
    fields: tuple[Field, ...]
    timings: Mapping[Event, Timing]  # the events that it can take
    usual_events: tuple[Event, ...]
    send: Send
    why_not: Callable[[Mapping[str, str], Parcel], Why | None]
    batch: int = 1  # parcels of one request
    test: Send | None = None  # asks without leaving anything over there, where that can be
    check: Callable[[Mapping[str, str]], None] | None = None  # of all fields together; raises Rejected
    outgoing: bool = False  # whether it is told of calls that go out as well
    follow: Follow | None = None  # asks what became of the parcels of a receipt
    follow_after: timedelta = timedelta(0)
    oauth: OAuth | None = None

    def timing(self, options: Mapping[str, str], event: Event) -> Timing:
        """Its clock for an event, with the days that somebody chose to wait for a category."""
        its = self.timings.get(event, Timing())
        days = options.get(HOLD_DAYS, "")
        waits = its.hold is Hold.CATEGORY and days.isdecimal()
        return replace(its, hold_for=timedelta(days=int(days))) if waits else its


def wants_all(_options: Mapping[str, str], _parcel: Parcel) -> Why | None:
    """Of a kind that takes any call."""
    return None


def post_json(
    line: Line, url: str, what: Any, headers: Mapping[str, str] | None = None, method: str = "POST"
) -> Reply:
    """Ask with a body of JSON. Raises tracker.outside.Trouble."""
    body = json.dumps(what, ensure_ascii=False, separators=(",", ":")).encode()
    return line.ask(method, url, body, {"Content-Type": "application/json", **(headers or {})})


def post_form(line: Line, url: str, what: Mapping[str, str]) -> Reply:
    """Ask with a form. Raises tracker.outside.Trouble."""
    body = urlencode(what).encode()
    return line.ask("POST", url, body, {"Content-Type": "application/x-www-form-urlencoded"})


BARRED = frozenset({401, 403})


def usual_answer(reply: Reply, now: datetime, barred: Collection[int] = BARRED) -> Answer:
    """By the status alone: 2xx is taken; 408, 425, 429 and 5xx are tried again; what bars us is ours to mend.

    Any other refusal is of the parcel, for good.
    """
    if is_transient(reply.status):
        return Answer(False, reply.shown(), retry_after=retry_after(reply.headers, now))
    return Answer(reply.ok, reply.shown(), final=not reply.ok and reply.status not in barred)
