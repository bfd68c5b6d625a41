"""Sending a test to a destination, now, and showing what was asked and answered, secrets masked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from tracker import outside
from tracker.database import Database
from tracker.destination_line import Way
from tracker.destination_safe import Safe
from tracker.destinations import Kind, Parcel
from tracker.destinations.fields import HIDDEN, kind_of
from tracker.mailing import new_key
from tracker.models import (
    Call,
    Company,
    Destination,
    Number,
    Recording,
    RecordingState,
    Site,
    Target,
    Visit,
    Visitor,
)
from tracker.parcels import facts_of
from tracker.policy.candidates import Basis
from tracker.policy.delivering import Event
from tracker.policy.facts import Direction, HungUpBy, Outcome, Presentation
from tracker.policy.parcels import CallFacts
from tracker.policy.telling import Answer
from tracker.settings import Settings
from tracker.telling import Translate, in_english
from tracker.vault import Vault

SHOP = "https://shop.example"
# What opens the other system for an hour or so, as OAuth 2 hands it out and takes it.
_WITHIN = re.compile(r"(?<=: )[^|]+?(?= \||$)")  # the value of each header that is a secret
_PASS = re.compile(r'(?<=_token":")[^"]+|(?<=_token": ")[^"]+')


@dataclass(frozen=True)
class Exchange:
    """A request and what was answered, secrets masked."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    reply: str


@dataclass(frozen=True)
class Tried:
    """What became of a test."""

    answer: Answer
    exchanges: Sequence[Exchange]


def try_out(
    it: Destination, safe: Safe, settings: Settings, sample: Parcel, now: datetime,
    *, translator: Callable[[str], Translate] = in_english,
) -> Tried:  # fmt: skip
    """Send a test, now: what was asked and answered. Of the database only what is renewed is written."""
    kind = kind_of(it.kind)
    secrets = safe.vault.open(it.secrets)
    line = _Watched(it.options, secrets, settings, lambda: now, translator, safe=safe)
    test = kind.test or kind.send
    answer = next(iter(test(line, [sample])), Answer(False, "Nothing was sent"))
    return Tried(answer, line.exchanges)


def try_now(
    database: Database, settings: Settings, destination_id: int, now: datetime,
    *, translator: Callable[[str], Translate] = in_english,
) -> Tried:  # fmt: skip
    """As `try_out`, of a destination by its id. No transaction is open while the other side thinks."""
    safe = Safe(database, Vault(settings.secret_key), destination_id, lambda: now)
    with database.read() as session:
        it = session.get_one(Destination, destination_id)
        sample = sample_parcel(it.company, kind_of(it.kind), settings.web_url, now)
        session.expunge(it)
    return try_out(it, safe, settings, sample, now, translator=translator)


def describe(tried: Tried) -> dict[str, Any]:
    """A test as JSON."""
    told = [asdict(each) for each in tried.exchanges]
    return {"delivered": tried.answer.ok, "answer": tried.answer.text, "exchanges": told}


def sample_parcel(company: Company, kind: Kind, web_url: str, now: datetime) -> Parcel:
    """A call that never was, for tests: of a number that is nobody's, from a visit with everything."""
    event = Event.COMPLETED if Event.COMPLETED in kind.timings else next(iter(kind.timings))
    return Parcel(new_key(), event, 0, now, sample_call(company, web_url, now), {})


def sample_call(company: Company, web_url: str, now: datetime) -> CallFacts:
    """See `sample_parcel`. It is read from a call as any other is, so that it has every key of one."""
    call = _call_that_never_was(company, now)
    call.visit = _visit_that_never_was(now)
    return facts_of(call, f"{SHOP}/contact", web_url, earlier_calls=0)


def _call_that_never_was(company: Company, now: datetime) -> Call:
    """Of no session, and of a company that is a copy: nothing of it can be stored."""
    names = ("slug", "name", "default_region", "timezone", "language", "currency")
    owner = Company(**{name: getattr(company, name) for name in names})
    begun = now - timedelta(seconds=64)
    return Call(
        key=f"test-{now:%Y%m%d%H%M%S}", company=owner, number=Number(e164="+12025550100"),
        direction=Direction.IN, caller="+12025550123", caller_name="Test", presentation=Presentation.ALLOWED,
        repeat=False, basis=Basis.LEASE, probability=1.0, uncertain=False, started_at=begun,
        rang_at=begun + timedelta(seconds=1), answered_at=begun + timedelta(seconds=4), ended_at=now,
        wait_seconds=4.0, talk_seconds=60.0, outcome=Outcome.ANSWERED, interrupted=False,
        target=Target(name="Test"), hung_up_by=HungUpBy.CALLER, value=Decimal("10.00"),
        recording=Recording(state=RecordingState.READY, seconds=60.0, sha256="0" * 64),
    )  # fmt: skip


def _visit_that_never_was(now: datetime) -> Visit:
    seconds = str(int(now.timestamp()) - 300)
    return Visit(
        visitor=Visitor(key="visitor-test"), site=Site(needs_consent=True),
        started_at=now - timedelta(seconds=300), landing_url=f"{SHOP}/?gclid=TEST",
        referrer="https://www.google.com/", medium="cpc", source="google", campaign="test", keyword="test",
        content="test", group="Paid Search", parameters={"utm_source": "google", "utm_medium": "cpc"},
        click_ids={"gclid": "TeSt-Cj0KCQiA-EXAMPLE-0001", "yclid": "123456789012345678"},
        analytics_ids={"_ga": f"GA1.1.1234567890.{seconds}", "_ym_uid": seconds + "123456789"},
        consent={"storage": True, "ads": True, "analytics": True},
    )  # fmt: skip


@dataclass(frozen=True)
class _Watched(Way):
    """A line that remembers what went over it."""

    exchanges: list[Exchange] = field(default_factory=list)

    def ask(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> outside.Reply:
        said = ""
        try:
            reply = super().ask(method, url, body, headers)
            said = f"{reply.status} {reply.reason}\n{reply.text[:4000]}"
        except outside.Trouble as trouble:
            said = str(trouble)
            raise
        finally:
            hide = self._masks()
            told = {name: hide(value) for name, value in (headers or {}).items()}
            told |= {"Authorization": HIDDEN} if "Authorization" in told else {}
            text = body.decode(errors="replace")[:8000]
            self.exchanges.append(Exchange(method, hide(url), told, hide(text), hide(said)))
        return reply

    def mail(self, to: str, key: str, subject: str, text: str) -> Answer:
        answer = super().mail(to, key, subject, text)
        self.exchanges.append(Exchange("MAIL", to, {"Subject": subject}, text, answer.text))
        return answer

    def _masks(self) -> Callable[[str], str]:
        secrets = set(self.secrets.values())
        hidden = sorted({part for each in secrets for part in (each, *_WITHIN.findall(each))}, key=len)[::-1]

        def hide(text: str) -> str:
            for secret in hidden:
                for form in {secret, quote(secret, safe="")} if len(secret) > 3 else ():
                    text = text.replace(form, HIDDEN)
            return _PASS.sub(HIDDEN, text)

        return hide
