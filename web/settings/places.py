"""What a number is used for, as a form's choice names it: "channel-3", "pool-2", or nothing."""

from __future__ import annotations

from sqlalchemy.orm import Session

from tracker import channels, owned, pools
from tracker.models import Channel, Company, NumberUse, Pool
from tracker.numbers import Place
from web.house import row_id


def choices(session: Session, company: Company) -> dict[str, list[tuple[str, str]]]:
    """Everything a number may be used for: the company's channels and pools, each with its name."""
    return {
        "channel": [(word(each), each.name) for each in channels.channels_of(session, company)],
        "pool": [(word(each), each.name) for each in pools.pools_of(session, company)],
    }


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
