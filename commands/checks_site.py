"""What doctor looks at of the websites in the books: their pools, visits, addresses, numbers nobody calls."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from commands.context import Here
from commands.findings import Finding, bad, ok, some, warn

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.models import Pool, Site
    from tracker.oddities import Crowd

_MANY = 20  # visits, before anything is concluded from what all of them have in common
_EMPTY_SHARE, _EMPTY_LEAST = 0.05, 3
_PROXY = "see docs/operations.md, “In front of it: a reverse proxy”"


@dataclass(frozen=True)
class _Named:
    """A site or a pool, and its company's short name where there are several companies."""

    thing: Site | Pool
    company: str | None

    def __str__(self) -> str:
        what = type(self.thing).__name__.lower()
        return f"{what} {self.thing.name}" + (f" of {self.company}" if self.company else "")

    def command(self, words: str) -> str:
        """`leaseline …` with its name for {}, ready to be pasted."""
        said = words.format(shlex.quote(self.thing.name))
        return f"`leaseline {said}" + (f" --company {self.company}`" if self.company else "`")


def sites(opened: Here) -> Iterator[Finding]:
    """Each site has a pool."""
    with opened.database.read() as session:
        found = _sites(session)
        if not found:
            yield ok("sites", "none")
        for named, site in found:
            if site.swaps:
                pools = dict.fromkeys(swap.pool.name for swap in site.swaps)
                yield ok(str(named), f"shows numbers of {some(list(pools))}")
            else:
                add = named.command("site number add {} NUMBER --pool POOL")
                yield warn(
                    str(named),
                    "has no pool: visitors see the company's own number",
                    f"Say which number stands on its pages, and whose takes its place: {add}",
                )


def pools(opened: Here) -> Iterator[Finding]:
    """Each site's pool has numbers, which Asterisk knows and somebody rings for."""
    from tracker.policy.entries import count_of
    from tracker.pools import active_numbers

    with opened.database.read() as session:
        for named, pool in _pools(session):
            numbers = {each.id: each.e164 for each in active_numbers(session, pool)}
            if numbers:
                wrong = list(_wrong(opened, session, named, numbers))
                yield from wrong or [
                    ok(str(named), f"{count_of(len(numbers), 'number')} in use, known to Asterisk, ringing")
                ]
            else:
                add = named.command("number import FILE --pool {}")
                yield warn(
                    str(named),
                    "has no number in use: visitors see the company's own number",
                    f"Put some into it: {add}, then `leaseline apply`",
                )


def _wrong(opened: Here, session: Session, named: _Named, numbers: dict[int, str]) -> Iterator[Finding]:
    """What would become of a visitor's call."""
    from dialplan.apply import answered
    from dialplan.render import place_of
    from tracker.forwarding import ways

    known = answered(place_of(opened.settings))
    if unknown := [e164 for e164 in numbers.values() if e164 not in known]:
        yield bad(str(named), f"Asterisk turns callers of {some(unknown)} away", "Run `leaseline apply`")
    rings = ways(session, numbers)
    if silent := [e164 for number_id, e164 in numbers.items() if not rings[number_id]]:
        forward = named.command("forward set TARGET --pool {}")
        yield bad(str(named), f"nobody rings for {some(silent)}", f"Say who does: {forward}")


def visits(opened: Here) -> Iterator[Finding]:
    """Visits come as they usually do."""
    with opened.database.read() as session:
        for named, site in _sites(session):
            yield from _coming(opened, session, named, site)


def _coming(opened: Here, session: Session, named: _Named, site: Site) -> Iterator[Finding]:
    from tracker.oddities import DAY, sign_at, silence

    name, last = f"visits of {named}", sign_at(session, site.id)
    check = f"`leaseline site check https://{site.domains[0].removeprefix('*.')}/`" if site.domains else ""
    if last is None:
        if opened.now - site.created_at > DAY:
            yield warn(name, "there was none yet", f"Is the script on its pages? {check}")
    elif found := silence(session, site.id, opened.now):
        usual = f"never longer than {_lasting(found.longest)} in the four weeks before"
        message = f"none for {_lasting(found.lasted)}, {usual}"
        yield warn(name, message, f"Is the script still on its pages? {check}")
    else:
        yield ok(name, f"its script was heard {_lasting(opened.now - last)} ago")


def coverage(opened: Here) -> Iterator[Finding]:
    """Pools had numbers for the visitors of the last day."""
    from tracker.coverage import coverage as covered
    from tracker.pools import active_numbers

    since = (opened.now - timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    with opened.database.read() as session:
        for named, pool in _pools(session):
            day = covered(session, pool_id=pool.id, since=since, until=opened.now)
            empty = day.missed.get("pool_empty", 0)
            if empty < _EMPTY_LEAST or empty <= _EMPTY_SHARE * day.visits:
                continue
            if active_numbers(session, pool):
                yield warn(
                    str(named),
                    f"was empty for {empty} of the {day.visits} visits of the last day"
                    f" ({empty / day.visits:.0%}): they saw no number of their own",
                    f"See how many numbers it needs: {named.command('pool advise {}')}",
                )


def unheard(opened: Here) -> Iterator[Finding]:
    """No number looks dead: often shown, never called, while the others are."""
    from tracker.oddities import unheard as never_called

    with opened.database.read() as session:
        for named, pool in _pools(session):
            for number, since in never_called(session, pool.id, opened.now):
                retire = named.command(f"number retire {number.e164}")
                yield warn(
                    str(named),
                    f"nobody called {number.e164}, though {number.visitors} visitors saw it since"
                    f" {since:%Y-%m-%d}; by the calls of its neighbours that is hardly chance",
                    f"Call it; if the call does not arrive, ask the provider, and until then: {retire}",
                )


def addresses(opened: Here) -> Iterator[Finding]:
    """Visitors are told apart: the proxy in front is believed what it says of their addresses."""
    from tracker.oddities import crowd

    with opened.database.read() as session:
        found = _sites(session)
        if found and opened.settings.web_url.startswith("https:") and not opened.settings.trusted_proxies:
            yield warn(
                "trusted_proxies",
                "is not set, though with https there is a proxy in front: all visitors look like one",
                f"Set it to the proxy's address, e.g. 127.0.0.1/32 for one on this machine; {_PROXY}",
            )
            return
        for named, site in found:
            yield from _told_apart(f"addresses of {named}", crowd(session, site.id, opened.now))


def _told_apart(name: str, day: Crowd) -> Iterator[Finding]:
    if day.visits >= _MANY and not day.placed:
        yield warn(
            name,
            f"no visitor of the last day's {day.visits} visits has an address of his own",
            f"Name the proxy in front in trusted_proxies, and have it send X-Forwarded-For; {_PROXY}",
        )
    elif day.too_many >= _MANY and day.too_many > day.visits / 2:
        yield warn(
            name,
            f"{day.too_many} requests of the last day came as if from one place, beside {day.visits} visits",
            f"If a proxy passes them on, name it in trusted_proxies, {_PROXY}; a flood passes by itself",
        )


def _sites(session: Session) -> list[tuple[_Named, Site]]:
    """Every company's sites."""
    import sqlalchemy as sa

    from tracker.models import Company
    from tracker.sites import listed

    companies = session.scalars(sa.select(Company).order_by(Company.slug)).all()
    return [
        (_Named(site, company.slug if len(companies) > 1 else None), site)
        for company in companies
        for site in listed(session, company)
    ]


def _pools(session: Session) -> list[tuple[_Named, Pool]]:
    """The pools whose numbers are shown on sites."""
    found = {
        swap.pool_id: (_Named(swap.pool, named.company), swap.pool)
        for named, site in _sites(session)
        for swap in site.swaps
    }
    return list(found.values())


def _lasting(time: timedelta) -> str:
    """ "3 days", "14 hours", "40 minutes"."""
    from tracker.policy.entries import count_of

    minutes = int(time.total_seconds() // 60)
    if minutes < 1:  # a sign that is known by the hour may lie ahead
        return "less than a minute"
    if minutes >= 2 * 1440:
        return count_of(minutes // 1440, "day")
    return count_of(minutes // 60, "hour") if minutes >= 120 else count_of(minutes, "minute")
