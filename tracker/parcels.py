"""What is told of calls, read from the books at the moment of telling: a batch in six statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from tracker import sound_files
from tracker.calls import answered_by, describe, recording_state, shown_caller, source_of
from tracker.messages import is_message
from tracker.models import Call, Channel, PageView, RecordingState, Visit
from tracker.policy.delivering import Standing
from tracker.policy.parcels import CallFacts, ReadSound, VisitFacts, no_sound

_WHOLE = (
    joinedload(Call.company),
    joinedload(Call.number),
    joinedload(Call.channel),
    joinedload(Call.target),
    joinedload(Call.recording),
    joinedload(Call.reported),
    selectinload(Call.tags),
    joinedload(Call.visit).joinedload(Visit.visitor),
    joinedload(Call.visit).joinedload(Visit.site),
)
_TO_HEAR = {RecordingState.PENDING: False, None: False}  # anything else is settled, one way or another


def read_calls(
    session: Session, call_ids: Iterable[int], web_url: str, recordings: Path | None = None
) -> dict[int, CallFacts]:
    """Calls by their ids, as they stand now; recordings lie below that folder, and are read when wanted."""
    wanted = sa.select(Call).where(Call.id.in_(list(call_ids))).options(*_WHOLE)
    calls = session.scalars(wanted.execution_options(populate_existing=True)).all()
    pages = _last_pages(session, calls)
    web = web_url.rstrip("/")
    return {
        call.id: replace(_facts(call, pages.get(call.id), web), sound=_sound(call, recordings))
        for call in calls
    }


def standing_of(session: Session, call_ids: Iterable[int]) -> dict[int, Standing]:
    """What a destination's clock has to know of each call."""
    wanted = (
        sa.select(Call)
        .where(Call.id.in_(list(call_ids)))
        .options(joinedload(Call.recording), joinedload(Call.visit))
        .execution_options(populate_existing=True)
    )
    return {
        call.id: Standing(
            visit_at=call.visit.started_at if call.visit else None,
            attributed=call.attributed_at is not None,
            has_category=call.category is not None,
            has_recording=_TO_HEAR.get(recording_state(call), True),
            spam=call.spam is not None,
        )
        for call in session.scalars(wanted)
    }


def _facts(call: Call, page_url: str | None, web: str) -> CallFacts:
    source = source_of(call)
    company, caller = call.company, shown_caller(call)
    page = f"{web}/calls/{call.key}"
    ready = recording_state(call) is RecordingState.READY
    return CallFacts(
        key=call.key, company=company.slug, company_name=company.name, timezone=company.timezone,
        currency=company.currency, direction=call.direction, number=call.number.e164,
        caller=caller if caller and caller.startswith("+") else None,
        caller_name=call.caller_name if caller else None, repeat=call.repeat,
        started_at=call.started_at, answered_at=call.answered_at, ended_at=call.ended_at,
        wait_seconds=call.wait_seconds, talk_seconds=call.talk_seconds, outcome=call.outcome,
        answered_by=answered_by(call), left_message=is_message(call),
        medium=source.medium if source else None, source=source.source if source else None,
        campaign=source.campaign if source else None, keyword=source.keyword if source else None,
        content=source.content if source else None, channel=_channel(call.channel, call.visit),
        group=source.group if source else None, category=call.category, value=call.value,
        tags=tuple(tag.name for tag in call.tags), link=page,
        recording_link=f"{page}#recording" if ready else None,
        visit=_visit(call.visit, page_url) if call.visit else None, described=describe(call),
    )  # fmt: skip


def _sound(call: Call, folder: Path | None) -> ReadSound:
    names = sound_files.names_of(call.recording)
    return partial(sound_files.read, folder, names) if folder and names else no_sound


def _channel(channel: Channel | None, visit: Visit | None) -> str | None:
    return channel.name if channel is not None and visit is None else None


def _visit(it: Visit, page_url: str | None) -> VisitFacts:
    said: Mapping[str, Any] = it.consent
    storage = said.get("storage")
    return VisitFacts(
        key=it.visitor.key, started_at=it.started_at, landing_url=it.landing_url, page_url=page_url,
        referrer=it.referrer, click_ids=it.click_ids, parameters=it.parameters, cookies=it.analytics_ids,
        ads=said.get("ads"), analytics=said.get("analytics", storage), asks=it.site.needs_consent,
    )  # fmt: skip


def _last_pages(session: Session, calls: Iterable[Call]) -> dict[int, str]:
    """The page that each call's visitor opened last before he called."""
    came = [call for call in calls if call.visit_id]
    if not came:
        return {}
    latest = (
        sa.select(Call.id.label("call"), sa.func.max(PageView.id).label("page"))
        .join(PageView, sa.and_(PageView.visit_id == Call.visit_id, PageView.at <= Call.started_at))
        .where(Call.id.in_([call.id for call in came]))
        .group_by(Call.id)
        .subquery()
    )
    found = session.execute(
        sa.select(latest.c.call, PageView.url).join(PageView, PageView.id == latest.c.page)
    )
    return {row.call: row.url for row in found}
