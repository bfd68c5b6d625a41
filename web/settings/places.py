"""What a number is used for, as a form's choice names it: "channel-3", "pool-2", or nothing."""

from __future__ import annotations

from sqlalchemy.orm import Session

from tracker import channels, numbers, owned, pools
from tracker.models import Channel, Company, NumberState, NumberUse, Pool
from tracker.numbers import Place
from tracker.policy.phone import display
from web.house import row_id


def choices(session: Session, company: Company) -> dict[str, list[tuple[str, str]]]:
    """Everything a number may be used for: the company's channels and pools, each with its name."""
    return {
        "channel": [(word(each), each.name) for each in channels.channels_of(session, company)],
        "pool": [(word(each), each.name) for each in pools.pools_of(session, company)],
    }


def own_numbers(session: Session, company: Company) -> list[tuple[str, str]]:
    """The company's numbers that are in use, by what they are and what people call them."""
    rows = numbers.listed(session, company, state=NumberState.ACTIVE)
    ours = [
        (row.number.e164, display(row.number.e164, company.default_region), row.number.label) for row in rows
    ]
    return [(e164, f"{shown} · {label}" if label else shown) for e164, shown, label in ours]


def read(session: Session, company: Company, chosen: str) -> Place:
    """The channel or pool that was chosen. Raises Rejected channel.unknown, pool.unknown."""
    kind, _, number = chosen.partition("-")
    if kind == "channel":
        return owned.find(session, Channel, company.id, row_id(number))
    return owned.find(session, Pool, company.id, row_id(number)) if kind == "pool" else None


def word(place: Channel | Pool) -> str:
    """ "channel-3"."""
    return f"{'channel' if isinstance(place, Channel) else 'pool'}-{place.id}"


def used_for(use: NumberUse | None) -> Place:
    """The channel or pool of a use."""
    return use.channel or use.pool if use else None
