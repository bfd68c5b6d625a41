"""How a site calls back, set by a person: checked as a whole before it is turned on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import targets
from tracker.audit import By
from tracker.callback_employees import employees_of
from tracker.companies import read_region, read_timezone
from tracker.errors import Rejected
from tracker.models import CallbackSettings, Company, Number, NumberState, Site, Trunk
from tracker.policy.callback_hours import read_hours, write_hours
from tracker.policy.phone import read_number

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
POSITIONS = ("bottom-right", "bottom-left")
LONGEST_TEXT = 200
# Least and most of what is counted.
BOUNDS = {
    "visitor_seconds": (5, 120),
    "tries": (1, 10),
    "retry_minutes": (0, 1440),
    "per_client": (1, 1000),
    "per_number": (1, 100),
    "per_day": (1, 100_000),
    "seconds_per_day": (60, 1_000_000),
}


@dataclass(frozen=True)
class Change:
    """What is to be set, as people write it; None leaves a thing as it is, "" or () takes it back."""

    is_on: bool | None = None
    trunk: str | None = None
    number: str | None = None
    rings: Sequence[tuple[str, int]] | None = None  # targets by name, with seconds
    hours: str | None = None
    timezone: str | None = None
    countries: Sequence[str] | None = None
    prefixes: Sequence[str] | None = None
    language: str | None = None
    color: str | None = None
    text_color: str | None = None
    position: str | None = None
    texts: Mapping[str, Mapping[str, str]] | None = None  # by language
    counts: Mapping[str, int] | None = None  # of BOUNDS


def of_site(session: Session, site: Site) -> CallbackSettings:
    """The site's settings; those that a site has before anybody set them, where nobody did."""
    known = session.get(CallbackSettings, site.id)
    if known is not None:
        return known
    company = session.get_one(Company, site.company_id)
    return CallbackSettings(
        site_id=site.id, is_on=False, rings=[], hours={}, countries=[], prefixes=[], texts={}, looks={},
        language=company.language, visitor_seconds=40, tries=3, retry_minutes=5, per_client=5, per_number=3,
        per_day=200, seconds_per_day=14_400,
    )  # fmt: skip


def change(session: Session, by: By, company: Company, site: Site, wish: Change) -> CallbackSettings:
    """Set what is given. Raises Rejected callback.*, trunk.unknown, number.unknown, target.unknown.

    A site cannot call back without a trunk, a number to show and somebody to ring.
    """
    it = of_site(session, site)
    before = describe(session, site, it)
    if wish.trunk is not None:
        it.trunk_id = _trunk(session, wish.trunk) if wish.trunk else None
    if wish.number is not None:
        it.number_id = _number(session, company, wish.number) if wish.number else None
    if wish.rings is not None:
        it.rings = [_ring(session, company, name, seconds) for name, seconds in wish.rings]
    if wish.hours is not None:
        it.hours = {day: [list(span) for span in spans] for day, spans in read_hours(wish.hours).items()}
    if wish.timezone is not None:
        it.timezone = read_timezone(wish.timezone) if wish.timezone else None
    if wish.countries is not None:
        it.countries = [read_region(each) for each in wish.countries]
    if wish.prefixes is not None:
        it.prefixes = [_prefix(each) for each in wish.prefixes]
    if wish.is_on is not None:
        it.is_on = wish.is_on
    _look(it, wish)
    _count(it, wish.counts or {})
    session.add(it)
    session.flush()
    session.refresh(it)
    _check(session, it)
    after = describe(session, site, it)
    changed = {name: value for name, value in after.items() if value != before[name]}
    if changed:
        by.note(session, "callback.set", company.id, subject=site.name, detail=changed)
    return it


def describe(session: Session, site: Site, it: CallbackSettings) -> dict[str, Any]:
    """The settings as JSON."""
    company = session.get_one(Company, site.company_id)
    names = {target.id: target.name for target in targets.of_company(session, company)}
    return {
        "site": site.name,
        "on": it.is_on,
        "trunk": it.trunk.name if it.trunk else None,
        "number": it.number.e164 if it.number else None,
        "rings": [{"target": names.get(ring["target"]), "seconds": ring["seconds"]} for ring in it.rings],
        "hours": write_hours({day: tuple(map(tuple, spans)) for day, spans in it.hours.items()}),
        "timezone": it.timezone,
        "countries": it.countries,
        "prefixes": it.prefixes,
        "language": it.language,
        **{name: getattr(it, name) for name in BOUNDS},
        "looks": it.looks,
        "texts": it.texts,
    }


def _trunk(session: Session, name: str) -> int:
    found = session.scalar(sa.select(Trunk).where(Trunk.name == name))
    if found is None:
        raise Rejected(
            "trunk.unknown", "There is no trunk %(name)r", "See `leaseline trunk list`", name=name[:40]
        )
    if found.retired_at is not None:
        raise Rejected(
            "callback.trunk", "Trunk %(name)r is switched off", "Call over another one", name=name[:40]
        )
    return found.id


def _number(session: Session, company: Company, text: str) -> int:
    e164 = read_number(text, company.default_region)
    wanted = sa.select(Number.id).where(
        Number.e164 == e164, Number.company_id == company.id, Number.state == NumberState.ACTIVE
    )
    if (found := session.scalar(wanted)) is not None:
        return found
    raise Rejected(
        "callback.number",
        "%(e164)s is no number of %(company)s",
        "Show one of your own: `leaseline number list`",
        e164=e164,
        company=company.name,
    )


def _ring(session: Session, company: Company, name: str, seconds: int) -> dict[str, Any]:
    target = targets.get(session, company, name)
    if not 5 <= seconds <= 120:
        raise _no_count("rings", seconds, 5, 120)
    return {"target": target.id, "seconds": seconds}


def _prefix(text: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{1,9}", text):
        raise Rejected(
            "callback.prefix",
            "%(text)r is no prefix",
            "Give + and 2 to 10 digits, such as +4930",
            text=text[:20],
        )
    return text


def _look(it: CallbackSettings, wish: Change) -> None:
    looks, texts = dict(it.looks), dict(it.texts)
    for name, color in (("color", wish.color), ("text", wish.text_color)):
        if color is not None and not _COLOR.fullmatch(color):
            raise Rejected(
                "callback.color", "%(text)r is no colour", "Give one like #3451d1", text=color[:20]
            )
        if color is not None:
            looks[name] = color.lower()
    if wish.position is not None:
        if wish.position not in POSITIONS:
            raise Rejected(
                "callback.position", "%(text)r is no place for the button", "Give one of: %(accepted)s",
                text=wish.position[:20], accepted=list(POSITIONS),
            )  # fmt: skip
        looks["position"] = wish.position
    if wish.language is not None:
        it.language = _language(wish.language)
    for language, own in (wish.texts or {}).items():
        kept = {name: text.strip()[:LONGEST_TEXT] for name, text in own.items()}
        texts[_language(language)] = {
            name: text for name, text in (texts.get(language, {}) | kept).items() if text
        }
    it.looks, it.texts = looks, {language: own for language, own in texts.items() if own}


def _language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}", text):
        raise Rejected(
            "callback.language", "%(text)r is no language", "Give its two letters, such as de", text=text[:20]
        )
    return text


def _count(it: CallbackSettings, counts: Mapping[str, int]) -> None:
    for name, value in counts.items():
        least, most = BOUNDS[name]
        if not least <= value <= most:
            raise _no_count(name, value, least, most)
        setattr(it, name, value)


def _no_count(name: str, value: int, least: int, most: int) -> Rejected:
    return Rejected(
        f"callback.{name}", "%(name)s cannot be %(value)s", "Give a whole number from %(least)s to %(most)s",
        name=name, value=value, least=least, most=most,
    )  # fmt: skip


def _check(session: Session, it: CallbackSettings) -> None:
    """Whoever turns it on learns at once what is missing, and not the first visitor."""
    if not it.is_on:
        return
    if it.trunk_id is None or it.number_id is None:
        raise Rejected(
            "callback.unready",
            "It cannot be turned on without a trunk and a number to show",
            "Say over which trunk visitors are called, and which number of yours they are shown",
        )
    if not employees_of(session, it, None):
        raise Rejected(
            "callback.nobody",
            "Nobody is set to be rung",
            "Name targets, or set who rings for the number that is shown",
        )
