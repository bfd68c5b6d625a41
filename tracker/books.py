"""The books: what the witnesses of a call say, merged into one row a call.

Every fact is kept in `call_events`; the call's row is the fold of its facts (tracker.policy.books). Facts
come from the AGI, the spool and CEL, in any order and any number of times. A fact whose call is not known yet
waits in `waiting_facts` until a start arrives: a call must belong to a company, and only its start names the
number.

A visitor code that the caller typed counts as one that an employee typed (tracker.told).

Two processes may write the same call at the same moment: the insert gives way to the one that was first, and
a row is locked while its facts are added up again. A batch takes about eight statements, however long it is.

What somebody said by a phone's key a call was worth is a fact as well: it goes into the same transaction as a
judgement of that person's (tracker.worth), once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import deliveries, ledger
from tracker.attribution import Arrival, arrival, judge_again, named_by
from tracker.caller_numbers import caller_of
from tracker.ledger import Facts, Page
from tracker.models import Call
from tracker.policy.books import CallState, Sound, fold
from tracker.policy.candidates import Attribution
from tracker.policy.delivering import Event
from tracker.policy.detail import as_detail, digest, kind_of, tidy
from tracker.policy.facts import (
    Direction,
    Doing,
    Fact,
    JudgedByPhone,
    Passed,
    Refused,
    Reported,
    Started,
)
from tracker.policy.refusing import speaking
from tracker.policy.sought import sought
from tracker.repeats import Heard, mark_repeats
from tracker.told import take_codes
from tracker.unrecorded import take_wishes
from tracker.worth import take_keys

# No advertisement made us call; what made a visitor ask to be called, the worker looks up (tracker.judge).
NOT_ATTRIBUTED = Attribution(named=None, uncertain=False, unknown=1.0)


def record(session: Session, fact: Fact | Refused) -> Call | None:
    """Merges one fact into the books; any order, any repetition. None while the call's start is not known."""
    record_all(session, [fact])
    found = sa.select(Call).where(Call.key == fact.call).execution_options(populate_existing=True)
    return session.scalars(found).one_or_none()


def record_all(session: Session, facts: Iterable[Fact | Refused]) -> int:
    """Merges facts into the books, in a write transaction; gives how many were new."""
    pages: dict[str, Facts] = defaultdict(dict)
    refused: list[Refused] = []
    for each in facts:
        if isinstance(each, Refused):
            refused.append(each)
        else:
            fact = tidy(each)
            pages[fact.call][_name(fact)] = fact
    new = ledger.refuse(session, refused)
    known = ledger.load(session, pages.keys())
    unknown = {key: page for key, page in pages.items() if key not in known}
    new += _begin(session, unknown, known)
    return new + _continue(session, {key: page for key, page in pages.items() if key in known}, known)


def unwritten(session: Session, facts: Iterable[Fact | Refused]) -> list[Fact | Refused]:
    """Those of the facts that the books do not hold; only looks."""
    given = [each if isinstance(each, Refused) else tidy(each) for each in facts]
    keys = {each.call for each in given}
    pages = {key: call.facts for key, call in ledger.load(session, keys, lock=False).items()}
    pages |= ledger.waiting(session, keys - pages.keys())
    refused = ledger.refused_keys(session, keys)

    def is_known(each: Fact | Refused) -> bool:
        if isinstance(each, Refused | Started) and each.call in refused:
            return True
        return not isinstance(each, Refused) and _name(each) in pages.get(each.call, {})

    return [each for each in given if not is_known(each)]


def adopt_waiting(session: Session) -> int:
    """Gives waiting facts to their call when another process opened it in between; gives how many."""
    keys = ledger.adoptable(session)
    waiting = ledger.waiting(session, keys)
    ledger.forget_waiting(session, keys)
    return record_all(session, [fact for page in waiting.values() for fact in page.values()])


def _name(fact: Fact) -> str:
    return digest(kind_of(fact), as_detail(fact))


def _begin(session: Session, pages: Mapping[str, Facts], known: dict[str, Page]) -> int:
    """Opens the calls whose start is among the facts; the facts of others wait.

    Adds to `known` the calls that another process has opened meanwhile.
    """
    waiting = ledger.waiting(session, pages.keys())
    whole = {key: page | waiting.get(key, {}) for key, page in pages.items()}
    rows, states = _openings(session, whole)
    ids = ledger.open_calls(session, list(rows.values()))
    opened = {call_id: rows[key] for key, call_id in ids.items()}
    mark_repeats(
        session, [Heard(row["company_id"], row["caller"], row["started_at"]) for row in opened.values()]
    )
    kept = {call_id: whole[key] for key, call_id in ids.items()}
    ledger.expect_recordings(session, _sounds({ids[key]: states[key] for key in ids}))
    ledger.keep(session, kept)
    deliveries.tell(session, ids.values(), Event.STARTED)
    deliveries.tell(session, [ids[key] for key in ids if states[key].outcome is not None], Event.COMPLETED)
    _take_keys(session, kept)
    ledger.forget_waiting(session, ids.keys() & waiting.keys())
    known.update(ledger.load(session, rows.keys() - ids.keys()))
    later = {key: _later(page) for key, page in pages.items() if key not in rows}
    return ledger.wait(session, later) + sum(len(whole[key]) for key in ids)


def _openings(
    session: Session, pages: Mapping[str, Facts]
) -> tuple[dict[str, dict[str, Any]], dict[str, CallState]]:
    """The rows of the calls that can be opened, and their states; a start for nobody's number is refused."""
    rows, states, unowned = {}, {}, []
    for key, page in pages.items():
        state = fold(page.values())
        if state.started is None:
            continue
        place = arrival(session, state.started.did, state.started.at)
        if place is None:
            unowned.append(_unowned(state.started))
        else:
            caller = caller_of(session, state.started, place.region)
            rows[key] = {"key": key} | _origin(state.started, place, caller) | _progress(state)
            states[key] = state
    ledger.refuse(session, unowned)
    return rows, states


def _later(page: Facts) -> Facts:
    """What waits: a start that opened no call was for nobody's number, and stands among the refusals."""
    return {name: fact for name, fact in page.items() if not isinstance(fact, Started | Reported)}


def _sounds(states: Mapping[int, CallState]) -> dict[int, Sound]:
    """What was to be heard of those that have ended."""
    return {call_id: state.sound for call_id, state in states.items() if state.outcome is not None}


def _continue(session: Session, pages: Mapping[str, Facts], known: Mapping[str, Page]) -> int:
    """Adds new facts to calls that are in the books."""
    added: dict[int, Facts] = {}
    progress, ended = {}, {}
    for key, page in pages.items():
        call = known[key]
        fresh = {name: fact for name, fact in page.items() if name not in call.facts}
        if not fresh:
            continue
        added[call.id] = fresh
        state = fold((*call.facts.values(), *fresh.values()))
        if _starts_otherwise(call, fresh, state):
            _restart(session, call, state)
        # The AGI marks the calls it saw itself, before any line of the spool can say so.
        progress[call.id] = _progress(state) | {"seen_by_agi": state.seen_by_agi or call.seen_by_agi}
        if state.outcome is not None and state.outcome is not call.outcome:
            ended[call.id] = state
    ledger.keep(session, added)
    ledger.store_progress(session, progress)
    ledger.expect_recordings(session, _sounds(ended))
    judge_again(session, ended.keys())
    deliveries.tell(session, ended.keys(), Event.COMPLETED)
    _take_keys(session, added)
    return sum(len(fresh) for fresh in added.values())


def _starts_otherwise(call: Page, fresh: Facts, state: CallState) -> bool:
    """Whether one of the new facts says more of the call's beginning than what was known."""
    telling = any(isinstance(fact, Started | Reported) for fact in fresh.values())
    return telling and state.started != fold(call.facts.values()).started


def _take_keys(session: Session, fresh: Mapping[int, Facts]) -> None:
    """What phones' keys said, of facts that have just been added: none of them has been heard before."""
    keys = {
        call_id: [fact for fact in page.values() if isinstance(fact, JudgedByPhone)]
        for call_id, page in fresh.items()
    }
    take_keys(session, {call_id: pressed for call_id, pressed in keys.items() if pressed})
    said = {call_id: speaking(page.values()) for call_id, page in fresh.items()}
    take_wishes(session, {call_id: facts for call_id, facts in said.items() if facts})
    for call_id, page in fresh.items():
        typed = [fact for fact in page.values() if isinstance(fact, Passed) and fact.doing is Doing.CODE]
        take_codes(session, call_id, typed)


def _restart(session: Session, call: Page, state: CallState) -> None:
    """A witness that knows more about the start came later: who, when and where from are decided again."""
    started = state.started
    place = arrival(session, started.did, started.at) if started else None
    if started is None or place is None:
        return
    row = _origin(started, place, caller_of(session, started, place.region))
    ledger.store_origin(session, call.id, row)
    since = min(call.started_at, started.at)
    heard = [Heard(place.company_id, caller, since) for caller in {call.caller, row["caller"]}]
    mark_repeats(session, heard, afresh=True)


def _origin(started: Started, place: Arrival, caller: str | None) -> dict[str, Any]:
    """The columns that the start of a call decides."""
    goes_out = started.direction is Direction.OUT
    return {
        "node": started.node,
        "uniqueid": started.uniqueid or None,
        "linkedid": started.linkedid or None,
        "company_id": place.company_id,
        "number_id": place.number_id,
        "trunk_id": started.trunk_id,
        "direction": started.direction,
        "caller": caller,
        "caller_name": started.caller_name or None,
        "sought": sought(caller, started.caller_name, started.presentation),
        "presentation": started.presentation,
        "attributed_at": started.at if goes_out else None,
        "started_at": started.at,
    } | named_by(place.attribution if started.direction is Direction.IN else NOT_ATTRIBUTED)


def _progress(state: CallState) -> dict[str, Any]:
    """The columns that change while a call goes on."""
    return {
        "rang_at": state.rang_at,
        "answered_at": state.answered_at,
        "ended_at": state.ended_at,
        "message_at": state.message_at,
        "wait_seconds": state.wait_seconds,
        "talk_seconds": state.talk_seconds,
        "outcome": state.outcome,
        "interrupted": state.interrupted,
        "target_id": state.target_id,
        "hung_up_by": state.hung_up_by,
        "dial_status": state.dial_status,
        "hangup_cause": state.hangup_cause,
        "seen_by_agi": state.seen_by_agi,
        "guard": state.guard,
        "spam": state.spam,
    }


def _unowned(started: Started) -> Refused:
    """A start for a number that is nobody's: not a call of any company, but not forgotten either."""
    return Refused(
        call=started.call,
        node=started.node,
        at=started.at,
        trunk_id=started.trunk_id,
        did=started.did,
        caller=started.caller,
        reason="unknown_number",
    )
