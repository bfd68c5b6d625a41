"""What a plan asks of a call before it rings: where it came from, who called, who is there for him.

Phone systems that are told of a call's source learn it here too.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.attribution import arrival
from tracker.inbound import Inbound
from tracker.models import Call, CallbackRequest, Channel, Responsible, Target, Visit
from tracker.plan_list import all_asks
from tracker.policy.caller_regions import UNKNOWN, region_of
from tracker.policy.facts import Presentation, Started
from tracker.policy.plan import By, keyed
from tracker.policy.sip_words import source_text
from tracker.repeats import has_called

_TELLS = sa.select(
    sa.exists().where(Target.company_id == sa.bindparam("company"), Target.tells_source.is_(True))
)
_RESPONSIBLE = sa.select(Responsible.target_id).where(
    Responsible.company_id == sa.bindparam("company"), Responsible.phone == sa.bindparam("caller")
)
_SOURCE_WORDS = frozenset((By.SOURCE, By.MEDIUM, By.CAMPAIGN))


def known_of(session: Session, found: Inbound, started: Started, caller: str | None) -> dict[str, str]:
    """The words that the number's plan asks for, as branches compare them; "" where nothing is known.

    "last" is the id of the target that spoke with this caller last, "responsible" of the one that is there
    for him, "visitor" "1" when he is known by the number he dialled. `caller` is as the books have him. Reads
    nothing that the plan does not ask for.
    """
    asks = found.way.plan.asks if found.way.plan else frozenset()
    if "plan" in asks:
        asks = all_asks(session, found.company_id)
    known: dict[str, str] = {}
    if asks & _SOURCE_WORDS:
        known |= _source(session, started.did, started.at)
    if By.REGION in asks:
        country = region_of(caller) if caller else UNKNOWN
        known[By.REGION] = "" if country == UNKNOWN else keyed(country)
    if By.NUMBER in asks:
        known[By.NUMBER] = _number(started, caller)
    if By.CALLER in asks:
        known[By.CALLER] = "repeat" if has_called(session, found.company_id, caller, started.at) else "first"
    if "last" in asks:
        known["last"] = last_target(session, found.company_id, caller)
    if "responsible" in asks:
        known["responsible"] = responsible_target(session, found.company_id, caller)
    if "visitor" in asks:
        known["visitor"] = "1" if found.lease_id is not None else "0"
    return {str(word): value for word, value in known.items() if word in asks}


def known_of_request(session: Session, request: CallbackRequest) -> dict[By, str]:
    """The same of somebody who is called back: his number and the visit in which he asked are known."""
    country = region_of(request.phone)
    return {
        By.REGION: "" if country == UNKNOWN else keyed(country),
        By.NUMBER: request.phone,
        By.CALLER: "repeat"
        if has_called(session, request.company_id, request.phone, request.requested_at)
        else "first",
        **_words(request.visit),
    }


def last_target(session: Session, company_id: int, caller: str | None) -> str:
    """The id of the target that spoke with this caller last; "" where none did."""
    if caller is None:
        return ""
    wanted = (
        sa.select(Call.target_id)
        .where(Call.company_id == company_id, Call.caller == caller, Call.target_id.is_not(None))
        .order_by(Call.started_at.desc())
        .limit(1)
    )
    return str(session.scalar(wanted) or "")


def responsible_target(session: Session, company_id: int, caller: str | None) -> str:
    """The id of the target that is responsible for this caller; "" where none is. One look into an index."""
    if caller is None:
        return ""
    return str(session.scalar(_RESPONSIBLE, {"company": company_id, "caller": caller}) or "")


def header_source(session: Session, found: Inbound, started: Started) -> str:
    """Source, medium and campaign for the company's phone systems, as a header may hold them.

    "" where none of them wants it, or nothing is known.
    """
    if not session.scalar(_TELLS, {"company": found.company_id}):
        return ""
    origin = _origin(session, started.did, started.at)
    return source_text(origin.source, origin.medium, origin.campaign) if origin else ""


def _origin(session: Session, did: str, at: datetime) -> Visit | Channel | None:
    """The visit or the channel that the call is attributed to at first sight."""
    came = arrival(session, did, at)
    named = came.attribution.named if came else None
    if named is not None and named.visit_id is not None:
        return session.get(Visit, named.visit_id)
    if named is not None and named.channel_id is not None:
        return session.get(Channel, named.channel_id)
    return None


def _source(session: Session, did: str, at: datetime) -> dict[str, str]:
    return {str(word): value for word, value in _words(_origin(session, did, at)).items()}


def _words(origin: Visit | Channel | None) -> dict[By, str]:
    if origin is None:
        return {}
    return {
        By.SOURCE: keyed(origin.source),
        By.MEDIUM: keyed(origin.medium),
        By.CAMPAIGN: keyed(origin.campaign or ""),
    }


def _number(started: Started, caller: str | None) -> str:
    if started.presentation is Presentation.WITHHELD:
        return "withheld"
    return caller if caller is not None and caller.startswith("+") else ""
