"""What is told of calls, read from the books at the moment of telling: a batch in seven statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

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
MOST_EARLIER = 1000  # calls of one caller that are counted
_TO_HEAR = {RecordingState.PENDING: False, None: False}  # anything else is settled, one way or another


def read_calls(
    session: Session, call_ids: Iterable[int], web_url: str, recordings: Path | None = None
) -> dict[int, tuple[CallFacts, Standing]]:
    """Calls by their ids, as they stand now, and what a destination's clock has to know of each.

    Recordings lie below that folder, and are read when wanted.
    """
    wanted = sa.select(Call).where(Call.id.in_(list(call_ids))).options(*_WHOLE)
    calls = session.scalars(wanted.execution_options(populate_existing=True)).all()
    pages, earlier = _last_pages(session, calls), _earlier_calls(session, calls)
    return {
        call.id: (
            replace(
                facts_of(call, pages.get(call.id), web_url, earlier.get(call.id, 0)),
                sound=_sound(call, recordings),
            ),
            standing_of(call),
        )
        for call in calls
    }


def standing_of(call: Call) -> Standing:
    """What a destination's clock has to know of a call."""
    return Standing(
        visit_at=call.visit.started_at if call.visit else None,
        attributed=call.attributed_at is not None,
        has_category=call.category is not None,
        has_recording=_TO_HEAR.get(recording_state(call), True),
        spam=call.spam is not None,
    )


def facts_of(call: Call, page_url: str | None, web_url: str, earlier_calls: int) -> CallFacts:
    """A call with everything that belongs to it, apart from the database."""
    source = source_of(call)
    company, caller = call.company, shown_caller(call)
    page = f"{web_url.rstrip('/')}/calls/{call.key}"
    ready = recording_state(call) is RecordingState.READY
    return CallFacts(
        key=call.key, company=company.slug, company_name=company.name, timezone=company.timezone,
        language=company.language, region=company.default_region, currency=company.currency,
        direction=call.direction, number=call.number.e164,
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
        earlier_calls=earlier_calls,
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


def _earlier_calls(session: Session, calls: Iterable[Call]) -> dict[int, int]:
    """How often each call's caller called before, up to `MOST_EARLIER`."""
    repeated = [call.id for call in calls if call.repeat and shown_caller(call)]
    if not repeated:
        return {}
    before = aliased(Call)
    same = sa.and_(
        before.company_id == Call.company_id, before.caller == Call.caller,
        before.started_at < Call.started_at, before.direction == Call.direction,
    )  # fmt: skip
    some = sa.select(before.id).where(same).limit(MOST_EARLIER).correlate(Call).subquery()
    count = sa.select(sa.func.count()).select_from(some).correlate(Call).scalar_subquery()
    found = session.execute(sa.select(Call.id, count).where(Call.id.in_(repeated)))
    return {row[0]: row[1] for row in found}
