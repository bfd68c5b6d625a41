"""The benchmark's calls: who called where, how it went, what was heard and said of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from support.facts import answered, ended, started

from bench.pages.firms import CHANNELS, OWNER, POOL, TAGS, TARGETS, Firm
from bench.pages.pour import instants, pour
from bench.pages.visits import DAYS, Visits, firms_of, moments
from tracker.database import Database
from tracker.models import (
    AuditEntry,
    Call,
    CallCandidate,
    CallCategory,
    CallEvent,
    CallNote,
    CallTag,
    Recording,
)
from tracker.policy.detail import as_detail, kind_of

OUTCOMES = ("answered", "missed", "gave_up", "busy", "refused", "failed")
OUTCOME_PARTS = (0.68, 0.14, 0.08, 0.05, 0.02, 0.03)
CATEGORIES = ("target", "service", "non_target")


@dataclass(frozen=True)
class Drawn:
    """One entry a call, in the order they came; `visit` is 0 for a call to a channel's number."""

    at: np.ndarray
    firm: np.ndarray
    keys: list[str]
    channel: np.ndarray
    visit: np.ndarray
    caller: np.ndarray
    outcome: np.ndarray
    wait: np.ndarray
    talk: np.ndarray
    target: np.ndarray
    category: np.ndarray
    judged: np.ndarray
    tagged: np.ndarray
    noted: np.ndarray
    uncertain: np.ndarray

    @property
    def answered(self) -> np.ndarray:
        taken: np.ndarray = self.outcome == 0
        return taken


def draw_calls(
    draw: np.random.Generator, count: int, visits: Visits, now: datetime, days: int = DAYS
) -> Drawn:
    """Three calls in five come from the visit that began last before them, if that is of the same firm."""
    at, firm = moments(draw, count, now, days), firms_of(count)
    last = np.searchsorted(visits.at, at)
    web = (draw.random(count) < 0.6) & (last > 0) & (visits.firm[np.maximum(last - 1, 0)] == firm)
    outcome = draw.choice(len(OUTCOMES), count, p=OUTCOME_PARTS)
    return Drawn(
        at=at,
        firm=firm,
        keys=[str(UUID(int=int.from_bytes(draw.bytes(16)))) for _ in range(count)],
        channel=draw.integers(0, CHANNELS, count),
        visit=np.where(web, last, 0),
        caller=np.where(
            draw.random(count) < 0.2, draw.integers(0, 2000, count), draw.integers(0, count, count)
        ),
        outcome=outcome,
        wait=np.round(draw.gamma(2, 5, count), 1),
        talk=np.where(outcome == 0, np.round(draw.gamma(1.5, 80, count), 1), 0),
        target=draw.integers(0, TARGETS, count),
        category=draw.choice(3, count, p=(0.5, 0.3, 0.2)),
        judged=(outcome == 0) & (draw.random(count) < 0.7),
        tagged=draw.random(count) < 0.2,
        noted=draw.random(count) < 0.1,
        uncertain=draw.random(count) < 0.03,
    )


def pour_calls(database: Database, firms: Sequence[Firm], drawn: Drawn, now: datetime) -> None:
    """The calls with all that belongs to them."""
    of = [firms[each] for each in drawn.firm.tolist()]
    web = drawn.visit > 0
    channels = [firm.channels[each] for firm, each in zip(of, drawn.channel.tolist(), strict=True)]
    source = {
        "channel_id": _where(~web, [channel for channel, _ in channels]),
        "visit_id": _where(web, drawn.visit.tolist()),
        "basis": ["lease" if each else "channel" for each in web.tolist()],
        "probability": itertools.repeat(1.0),
    }
    numbers = [
        firm.pool_numbers[index % POOL] if site else number
        for index, (firm, site, (_, number)) in enumerate(zip(of, web.tolist(), channels, strict=True))
    ]
    ids = range(1, len(of) + 1)
    pour(
        database,
        Call,
        {"id": ids, "number_id": numbers, "lease_id": source["visit_id"], **source} | _facts(drawn, of),
    )
    more = {"call_id": ids, "position": itertools.repeat(0), "reasons": itertools.repeat("[]")}
    pour(database, CallCandidate, more | source)
    _pour_said(database, of, drawn)
    _pour_tags(database, of, drawn)
    _pour_sound(database, drawn)
    _pour_witnesses(database, instants(drawn.at), now)


def _facts(drawn: Drawn, of: Sequence[Firm]) -> dict[str, Any]:
    """What happened in a call and was said of it: columns of `calls`."""
    first = np.zeros(len(of), bool)
    first[np.unique(drawn.caller, return_index=True)[1]] = True
    begun, ends = instants(drawn.at), instants(drawn.at + drawn.wait + drawn.talk)
    targets = [firm.targets[each] for firm, each in zip(of, drawn.target.tolist(), strict=True)]
    callers = [f"+79{100_000_000 + each}" for each in drawn.caller.tolist()]
    worth = (drawn.talk * 1000).astype(int).tolist()
    return {
        "key": drawn.keys,
        "node": itertools.repeat("main"),
        "company_id": [firm.company_id for firm in of],
        "caller": callers,
        "sought": callers,
        "presentation": itertools.repeat("allowed"),
        "repeat": (~first).tolist(),
        "uncertain": drawn.uncertain.tolist(),
        "attributed_at": ends,
        "started_at": begun,
        "rang_at": begun,
        "answered_at": _where(drawn.answered, instants(drawn.at + drawn.wait)),
        "ended_at": ends,
        "wait_seconds": drawn.wait.tolist(),
        "talk_seconds": _where(drawn.answered, drawn.talk.tolist()),
        "outcome": [OUTCOMES[each] for each in drawn.outcome.tolist()],
        "interrupted": itertools.repeat(False),
        "target_id": _where(drawn.answered, targets),
        "hung_up_by": itertools.repeat("caller"),
        "seen_by_agi": itertools.repeat(True),
        "category": _where(drawn.judged, [CATEGORIES[each] for each in drawn.category.tolist()]),
        "value": _where(drawn.judged & (drawn.category == 0), worth),
    }


def _where(mask: np.ndarray, values: Sequence[Any]) -> list[Any]:
    """The values where the mask is set, None elsewhere."""
    return [value if each else None for value, each in zip(values, mask.tolist(), strict=True)]


def _pour_said(database: Database, of: Sequence[Firm], drawn: Drawn) -> None:
    """Categories, each with its entry in the audit log, and notes."""
    which = np.flatnonzero(drawn.judged).tolist()
    said = instants(drawn.at[which] + 3600)
    who = {"at": said, "actor": itertools.repeat(OWNER)}
    words = [CATEGORIES[each] for each in drawn.category[which].tolist()]
    pour(database, CallCategory, {"call_id": [each + 1 for each in which], "category": words, **who})
    entry = {
        "company_id": [of[each].company_id for each in which],
        "action": itertools.repeat("call.category"),
        "subject": [drawn.keys[each] for each in which],
        "detail": itertools.repeat('{"category": "target", "before": null}'),
        "client": itertools.repeat("192.0.2.1"),
    }
    pour(database, AuditEntry, entry | who)
    noted = np.flatnonzero(drawn.noted).tolist()
    note: dict[str, Iterable[Any]] = {
        "call_id": [each + 1 for each in noted],
        "at": instants(drawn.at[noted] + 3700),
        "actor": itertools.repeat(OWNER),
        "text": [f"Wants {each % 900} euro pallets on Tuesday: send a quote." for each in noted],
    }
    pour(database, CallNote, note)


def _pour_tags(database: Database, of: Sequence[Firm], drawn: Drawn) -> None:
    which = np.flatnonzero(drawn.tagged).tolist()
    tags = [of[each].tags[each % TAGS] for each in which]
    pour(database, CallTag, {"call_id": [each + 1 for each in which], "tag_id": tags})


def _pour_sound(database: Database, drawn: Drawn) -> None:
    """The recordings of answered calls, with a waveform as long as a real one."""
    which = np.flatnonzero(drawn.answered).tolist()
    bars = [(7 * each) % 100 for each in range(400)]
    recording: dict[str, Iterable[Any]] = {
        "call_id": [each + 1 for each in which],
        "state": itertools.repeat("ready"),
        "path": [f"2026/11/{drawn.keys[each]}.wav" for each in which],
        "copies": [f'["2026/11/{drawn.keys[each]}.mp3"]' for each in which],
        "bytes": (drawn.talk[which] * 32000).astype(int).tolist(),
        "sha256": itertools.repeat("0" * 64),
        "seconds": drawn.talk[which].tolist(),
        "sample_rate": itertools.repeat(8000),
        "peaks": itertools.repeat(json.dumps({"caller": bars, "company": bars[::-1]})),
        "stored_at": instants(drawn.at[which] + drawn.wait[which] + drawn.talk[which] + 5),
    }
    pour(database, Recording, recording)


def _pour_witnesses(database: Database, begun: Sequence[str], now: datetime) -> None:
    """Three facts a call, as large as the dialplan writes them; what they say is the same for all."""
    facts = started("+74952000000", now), answered(1, now), ended(now)
    told = [(kind_of(fact), json.dumps(as_detail(fact))) for fact in facts]
    event: dict[str, Iterable[Any]] = {
        "call_id": np.repeat(np.arange(1, len(begun) + 1), len(told)).tolist(),
        "at": (at for at in begun for _ in told),
        "kind": itertools.cycle([kind for kind, _ in told]),
        "detail": itertools.cycle([detail for _, detail in told]),
        "digest": itertools.cycle(["a", "b", "c"]),
        "position": itertools.repeat(0),
    }
    pour(database, CallEvent, event)
