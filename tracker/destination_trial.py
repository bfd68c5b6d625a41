"""Sending a test to a destination, now, and showing what was asked and answered, secrets masked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from sqlalchemy.orm import Session

from tracker import outside
from tracker.destinations import Kind, Parcel
from tracker.destinations.fields import HIDDEN, kind_of
from tracker.mailing import new_key
from tracker.models import Company, Destination
from tracker.policy.delivering import Event
from tracker.policy.facts import Direction, Outcome
from tracker.policy.parcels import CallFacts, VisitFacts
from tracker.policy.telling import Answer
from tracker.postman import Way
from tracker.settings import Settings
from tracker.vault import Vault

# What opens the other system for an hour or so, as OAuth 2 hands it out and takes it.
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
    renewed: Mapping[str, str] = field(default_factory=dict, repr=False)  # secrets: see `keep`


def try_out(it: Destination, vault: Vault, settings: Settings, sample: Parcel, now: datetime) -> Tried:
    """Send a test, now: what was asked and answered. Touches no database."""
    kind = kind_of(it.kind)
    line = _Watched(it.options, vault.open(it.secrets), settings.webhook_networks, lambda: now)
    test = kind.test or kind.send
    answer = next(iter(test(line, [sample])), Answer(False, "Nothing was sent"))
    return Tried(answer, line.exchanges, line.renewed)


def keep(session: Session, it: Destination, tried: Tried, vault: Vault) -> None:
    """Keep the secrets that were renewed on the way: the former ones may be good for nothing now."""
    row = session.get(Destination, it.id, with_for_update=True)
    if row is not None and tried.renewed:
        row.secrets = vault.seal({**vault.open(row.secrets), **tried.renewed})


def sample_parcel(company: Company, kind: Kind, web_url: str, now: datetime) -> Parcel:
    """A call that never was, for tests: of a number that is nobody's, from a visit with everything."""
    event = Event.COMPLETED if Event.COMPLETED in kind.timings else next(iter(kind.timings))
    return Parcel(new_key(), event, 0, now, sample_call(company, web_url, now), {})


def sample_call(company: Company, web_url: str, now: datetime) -> CallFacts:
    """See `sample_parcel`."""
    key = f"test-{now:%Y%m%d%H%M%S}"
    seconds = str(int(now.timestamp()) - 300)
    visit = VisitFacts(
        key="visitor-test", started_at=now, landing_url="https://shop.example/?gclid=TEST",
        page_url="https://shop.example/contact", referrer="https://www.google.com/",
        click_ids={"gclid": "TeSt-Cj0KCQiA-EXAMPLE-0001", "yclid": "123456789012345678"},
        cookies={"_ga": f"GA1.1.1234567890.{seconds}", "_ym_uid": seconds + "123456789"}, ads=True,
        analytics=True,
    )  # fmt: skip
    return CallFacts(
        key=key, company=company.slug, company_name=company.name, timezone=company.timezone,
        currency=company.currency, direction=Direction.IN, number="+12025550100", caller="+12025550123",
        caller_name=None, repeat=False, started_at=now, answered_at=now, ended_at=now, wait_seconds=4.0,
        talk_seconds=60.0, outcome=Outcome.ANSWERED, answered_by="Test", left_message=False, medium="cpc",
        source="google", campaign="test", keyword="test", content=None, channel=None, group="Paid Search",
        category=None, value=Decimal("10.00"), tags=(), link=f"{web_url.rstrip('/')}/calls/{key}",
        recording_link=None, visit=visit, described={"key": key, "test": True},
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

    def _masks(self) -> Callable[[str], str]:
        hidden = sorted({*self.secrets.values(), *self.renewed.values()}, key=len, reverse=True)

        def hide(text: str) -> str:
            for secret in hidden:
                for form in {secret, quote(secret, safe="")} if len(secret) > 3 else ():
                    text = text.replace(form, HIDDEN)
            return _PASS.sub(HIDDEN, text)

        return hide
