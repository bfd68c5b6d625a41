"""Companies: adding, finding, changing, deleting."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from typing import Any

import phonenumbers
import sqlalchemy as sa
from babel.numbers import get_territory_currencies, list_currencies
from sqlalchemy.orm import Session

from tracker import report_schedules
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import (
    Alert,
    AlertAddress,
    AlertMessage,
    ApiKey,
    ApplyRequest,
    Arrival,
    AuditEntry,
    Base,
    Call,
    CallerRule,
    CallFolder,
    CallPlan,
    Channel,
    Company,
    Consent,
    Cost,
    DaySheet,
    DelayModel,
    Delivery,
    Destination,
    ExchangeRate,
    Forwarding,
    Guard,
    Inlet,
    Membership,
    Number,
    OutgoingRule,
    PlanCase,
    PlanUse,
    PlanVersion,
    Pool,
    Prompt,
    Responsible,
    Sale,
    SavedReport,
    SavedView,
    Site,
    SourceRule,
    Tag,
    Target,
    Unrecorded,
    Visitor,
)
from tracker.policy.entries import read_slug, read_title
from tracker.policy.uses import uses_of
from tracker.policy.whisper import read_whisper

LANGUAGES = ("en", "ru", "uk", "pl")  # that the page speaks


def add(
    session: Session,
    by: By,
    slug: str,
    name: str,
    region: str,
    *,
    timezone: str = "UTC",
    currency: str | None = None,
    language: str = "en",
) -> Company:
    """A new company. `region` (ISO 3166) says how its national numbers are read.

    Its currency is the country's, unless another (ISO 4217) is given. Raises Rejected: company.slug,
    company.text, company.region, company.timezone, company.currency, company.language, company.duplicate.
    """
    company = Company(
        slug=read_slug(slug),
        name=read_title(name, "company", 200),
        default_region=read_region(region),
        timezone=read_timezone(timezone),
        currency=read_currency(currency) if currency else currency_of(region),
        language=read_language(language),
        created_at=by.at,
    )
    if _by_slug(session, slug):
        raise Rejected(
            "company.duplicate", "There is a company %(slug)s already", "Choose another short name", slug=slug
        )
    session.add(company)
    session.flush()
    by.note(session, "company.add", company.id, subject=slug, detail={"region": company.default_region})
    return company


def change(
    session: Session,
    by: By,
    company: Company,
    *,
    name: str | None = None,
    region: str | None = None,
    timezone: str | None = None,
    currency: str | None = None,
    language: str | None = None,
    judge_by_phone: bool | None = None,
    recording_codes: bool | None = None,
    remember_refusals: bool | None = None,
    whisper: str | None = None,
) -> Company:
    """Change what is given; sums of money are never converted. Raises Rejected as `add` does."""
    changed: dict[str, str | bool] = {}
    if name is not None:
        company.name = changed["name"] = read_title(name, "company", 200)
    if region is not None:
        company.default_region = changed["region"] = read_region(region)
    if timezone is not None:
        company.timezone = changed["timezone"] = read_timezone(timezone)
        report_schedules.replan(session, company, by.at)
    if currency is not None:
        company.currency = changed["currency"] = read_currency(currency)
    if language is not None:
        company.language = changed["language"] = read_language(language)
    switches = {
        "judge_by_phone": judge_by_phone,
        "recording_codes": recording_codes,
        "remember_refusals": remember_refusals,
    }
    for name_of, wanted in switches.items():
        if wanted is not None:
            setattr(company, name_of, wanted)
            changed[name_of] = wanted
    if whisper is not None:
        company.whisper = read_whisper(whisper, company.language) if whisper.strip() else None
        changed["whisper"] = company.whisper or ""
    by.note(session, "company.change", company.id, subject=company.slug, detail=changed)
    return company


def get(session: Session, slug: str) -> Company:
    """The company by its short name. Raises Rejected company.unknown, naming those there are."""
    if company := _by_slug(session, slug):
        return company
    slugs = [each.slug for each in everyone(session)]
    raise Rejected(
        "company.unknown",
        "There is no company %(slug)r",
        "There are: %(slugs)s" if slugs else "Add it: `leaseline company add`",
        slug=slug,
        slugs=slugs,
    )


def choose(session: Session, slug: str | None) -> Company:
    """The company meant: by its short name, or the only one there is."""
    if slug:
        return get(session, slug)
    companies = everyone(session)
    if not companies:
        raise Rejected("company.none", "There is no company yet", "Add one: `leaseline company add`")
    if len(companies) > 1:
        raise Rejected(
            "company.which",
            "There are several companies (%(slugs)s)",
            "Say which: --company NAME, or set LEASELINE_COMPANY",
            slugs=[each.slug for each in companies],
        )
    return companies[0]


def everyone(session: Session) -> Sequence[Company]:
    """All companies by short name."""
    return session.scalars(sa.select(Company).order_by(Company.slug)).all()


def one_at_a_time(session: Session, company: Company) -> None:
    """Whoever changes what is the company's waits for others who do; calls and visits need not."""
    row = sa.select(Company.id).where(Company.id == company.id)
    session.execute(row.with_for_update(key_share=True))


# What an empty company may have set, those that name others first.
_ITS_OWN = (
    Forwarding, OutgoingRule, Membership, ApplyRequest, SavedView, Consent, Prompt, Unrecorded, CallerRule,
    Guard, ExchangeRate, ApiKey, SourceRule, CallPlan, CallFolder, Tag, DelayModel, DaySheet,
    Destination, Responsible, Inlet,
)  # fmt: skip


def delete(session: Session, by: By, company: Company) -> None:
    """Delete a company that owns nothing. Raises Rejected company.in_use with what it owns."""
    owned = ((Number, "number"), (Channel, "channel"), (Pool, "pool"), (Target, "target"), (Site, "site"))
    history = ((Call, "call"), (Visitor, "visitor"), (Cost, "cost"), (Sale, "sale"))
    if uses := uses_of(*((_count(session, model, company), word) for model, word in (*owned, *history))):
        raise Rejected(
            "company.in_use",
            "company %(slug)s is used by %(uses)s",
            "Delete or retire those first; calls are never deleted",
            slug=company.slug,
            uses=uses,
        )
    report_schedules.forget(session, SavedReport.company_id == company.id)
    plans = sa.select(CallPlan.id).where(CallPlan.company_id == company.id)
    for part in (PlanUse, PlanVersion, PlanCase):
        session.execute(sa.delete(part).where(part.plan_id.in_(plans)))
    its = sa.select(Destination.id).where(Destination.company_id == company.id)
    session.execute(sa.delete(Delivery).where(Delivery.destination_id.in_(its)))
    its = sa.select(Inlet.id).where(Inlet.company_id == company.id)
    session.execute(sa.delete(Arrival).where(Arrival.inlet_id.in_(its)))
    for model in _ITS_OWN:
        session.execute(sa.delete(model).where(model.company_id == company.id))
    addresses = sa.select(AlertAddress.id).where(AlertAddress.company_id == company.id)
    session.execute(sa.delete(AlertMessage).where(AlertMessage.address_id.in_(addresses)))
    session.execute(sa.delete(AlertAddress).where(AlertAddress.company_id == company.id))
    session.execute(sa.delete(Alert).where(Alert.company_id == company.id))
    session.execute(
        sa.update(AuditEntry).where(AuditEntry.company_id == company.id).values(company_id=None)
    )  # the entries stay: their subject still says what they were about
    session.delete(company)
    by.note(session, "company.delete", subject=company.slug)


def read_region(text: str) -> str:
    """An ISO 3166 country whose numbering we know. Raises Rejected company.region."""
    region = text.strip().upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise Rejected(
            "company.region",
            "%(text)r is no country",
            "Give its two letters (ISO 3166), such as RU, DE or PL",
            text=text,
        )
    return region


def read_timezone(text: str) -> str:
    """An IANA timezone. Raises Rejected company.timezone."""
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Rejected(
            "company.timezone",
            "%(text)r is no timezone",
            "Give an IANA name such as Europe/Moscow, Europe/Berlin or UTC",
            text=text,
        ) from None
    return text


def read_currency(text: str) -> str:
    """A currency by its ISO 4217 code. Raises Rejected company.currency."""
    code = text.strip().upper()
    if code not in list_currencies():
        raise Rejected(
            "company.currency",
            "%(text)r is no currency",
            "Give its three letters (ISO 4217), such as EUR",
            text=text,
        )
    return code


def currency_of(region: str) -> str:
    """The currency of a country (ISO 3166), as Unicode's CLDR has it."""
    known = get_territory_currencies(region.strip().upper())
    return known[0] if known else "EUR"


def read_language(text: str) -> str:
    """A language that the page speaks. Raises Rejected company.language."""
    if text not in LANGUAGES:
        raise Rejected(
            "company.language",
            "The page does not speak %(text)r",
            "Choose %(languages)s",
            text=text,
            languages=LANGUAGES,
        )
    return text


def _by_slug(session: Session, slug: str) -> Company | None:
    return session.scalars(sa.select(Company).where(Company.slug == slug)).one_or_none()


def _count(session: Session, model: type[Base], company: Company) -> int:
    column = sa.inspect(model).columns["company_id"]
    return session.scalar(sa.select(sa.func.count()).select_from(model).where(column == company.id)) or 0


def describe(company: Company) -> dict[str, Any]:
    """A company as JSON."""
    return {
        "slug": company.slug,
        "name": company.name,
        "region": company.default_region,
        "timezone": company.timezone,
        "currency": company.currency,
        "language": company.language,
        "judge_by_phone": company.judge_by_phone,
        "recording_codes": company.recording_codes,
        "remember_refusals": company.remember_refusals,
        "whisper": company.whisper,
        "created_at": company.created_at,
    }
