"""REST hooks: subscriptions of automation services. Each is a webhook destination for one event of calls.

So it stands among the destinations, waits, is tried again, and ends with 410 as any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import destination_list
from tracker.audit import By
from tracker.destination_list import Filled
from tracker.destination_trial import sample_call
from tracker.destinations import Parcel, webhook
from tracker.errors import Rejected
from tracker.mailing import new_key
from tracker.models import Call, Company, Destination, Recording, RecordingState
from tracker.parcels import read_calls
from tracker.policy.delivering import Event
from tracker.vault import Vault

MARK = "hook"  # among a destination's options: the event that was subscribed to
_NAME_LONGEST = 50  # with a number behind it

_HAPPENED = {
    Event.STARTED: sa.true(),
    Event.COMPLETED: Call.ended_at.is_not(None),
    Event.CATEGORISED: Call.category.is_not(None),
    Event.RECORDED: sa.exists().where(Recording.call_id == Call.id, Recording.state == RecordingState.READY),
    Event.UPDATED: Call.ended_at.is_not(None),
}


def subscribe(
    session: Session, by: By, company: Company, event: Event, url: str, *, vault: Vault
) -> tuple[Destination, str | None]:
    """A hook and its secret, which nobody is told again; the hook that is there already, and no secret.

    One that ended with 410 is made anew. Raises Rejected as destination_list.add.
    """
    there = destination_list.list_destinations(session, company)
    for each in there:
        if each.options.get(MARK) == event and each.options.get("url") == url.strip():
            if each.disabled_at is None:
                return each, None
            destination_list.delete(session, by, each)
            session.flush()
    name = _name(event, url, {each.name for each in there})
    filled = Filled({"url": url}, [event.value], name)
    made = destination_list.add(session, by, company, webhook.KIND.word, filled, vault=vault)
    made.options = {**made.options, MARK: event.value}
    session.flush()
    return made, vault.open(made.secrets)["secret"]


def list_hooks(session: Session, company: Company) -> Sequence[Destination]:
    """The company's living hooks, the oldest first."""
    found = destination_list.list_destinations(session, company)
    living = (each for each in found if MARK in each.options and each.disabled_at is None)
    return sorted(living, key=lambda each: each.id)


def find_hook(session: Session, company: Company, hook_id: int) -> Destination:
    """A living one. Raises Rejected hook.unknown."""
    for each in list_hooks(session, company):
        if each.id == hook_id:
            return each
    raise Rejected("hook.unknown", "There is no such hook", "It may have ended with 410: subscribe again")


def describe(it: Destination) -> dict[str, Any]:
    """A hook as JSON, without its secret."""
    return {
        "id": it.id,
        "event": it.options[MARK],
        "target_url": it.options["url"],
        "name": it.name,
        "state": destination_list.describe(it)["state"],
        "created_at": it.created_at,
    }


def sample(session: Session, company: Company, event: Event, web_url: str, by: By) -> dict[str, Any]:
    """What would be posted of the company's newest such call; of one that never was, where there is none."""
    newest = (
        sa.select(Call.id)
        .where(Call.company_id == company.id, Call.spam.is_(None), _HAPPENED[event])
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(1)
    )
    call_id = session.scalar(newest)
    if call_id is None:
        facts = sample_call(company, web_url, by.at)
    else:
        facts = read_calls(session, [call_id], web_url)[call_id][0]
    return webhook.payload(Parcel(new_key(), event, 0, facts.ended_at or facts.started_at, facts))


def _name(event: Event, url: str, taken: set[str]) -> str:
    """What the page calls it: the event and the host, numbered where there are several."""
    name = f"{event.value} {urlsplit(url.strip()).hostname or ''}"[:_NAME_LONGEST].strip()
    numbered = (f"{name} {number}" for number in range(2, destination_list.MOST + 2))
    return name if name not in taken else next(each for each in numbered if each not in taken)
