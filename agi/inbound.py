"""The route `inbound`: what Asterisk asks when a number rings, translated for the tracker and back.

One read, a few variables (`LL_OK` last: the dialplan believes nothing before it), and one write
once the caller has been served. Whatever goes wrong, nothing is set and the dialplan rings by its rendered
copy.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from agi.commands import set_variable, set_variables
from agi.conversation import Conversation
from agi.guard import Endpoint
from agi.readers import Readers
from agi.whispering import Whispering
from agi.writer import Writer
from tracker.caller_numbers import caller_of
from tracker.forwarding import Rings
from tracker.guard import look_up_guard
from tracker.inbound import Inbound, look_up
from tracker.known_callers import header_source, known_of
from tracker.logs import of
from tracker.policy.facts import GuardGround, Presentation, Started, Treatment
from tracker.policy.plan import By
from tracker.policy.spam import DIGITS, RING, Block, Challenge, Decision
from tracker.whispers import Heard, heard_of

log = logging.getLogger("leaseline.agi")

_ARGUMENTS = {
    "call": r"[0-9A-Za-z._-]{1,40}",  # an Asterisk without UUID() mints it of its UNIQUEID
    "did": r"\+[0-9]{1,15}",
    "caller": r"[0-9+]{0,40}",
    "presentation": r"[a-z_]{0,40}",
    "trunk": r"(?:trunk-[0-9]{1,9})?",
    "at": r"[0-9]{9,11}(?:\.[0-9]{1,6})?",
    "uniqueid": r"[0-9A-Za-z._-]{0,64}",
    "linkedid": r"[0-9A-Za-z._-]{0,64}",
    "node": r"[0-9a-z-]{1,40}",
}
_DIALLED = re.compile(r"[0-9+*#]{1,80}")


class Unanswerable(Exception):
    """The dialplan had better go by its own copy; the message says why."""


def inbound_route(readers: Readers, writer: Writer, whispering: Whispering | None = None) -> Endpoint:
    """The endpoint that answers `agi://…/inbound`."""

    async def inbound(request: Conversation) -> None:
        began = time.perf_counter()
        started = started_from(request.headers)
        found, known, heard, decision, source = await readers.ask(lambda session: _look(session, started))
        looked_up = time.perf_counter()
        if found is None:
            raise Unanswerable(f"did={started.did} is not in the books")
        if not found.way:
            raise Unanswerable(f"did={started.did} has no forwarding")
        variables = {_variable(word): value for word, value in known.items()}
        plan = found.way.plan.word if found.way.plan else ""
        record = "1" if heard.record else "0"
        variables |= {"LL_PLAN": plan, "LL_RINGS": rings_text(found.rings), "LL_RECORD": record}
        if whispering and (sound := await whispering.choose(heard.whispers)):
            variables["LL_WHISPER"] = sound
        if guard := guard_text(decision):
            variables["LL_GUARD"] = guard
        if source:
            await set_variable(request, "LL_SOURCE", source)
        await set_variables(request, **variables, LL_OK="1")
        writer.put(started)
        told = of(
            started.call,
            did=started.did,
            number=found.number_id,
            channel=found.channel_id,
            lease=found.lease_id,
            rings=len(found.rings),
            plan=plan or None,
            guard=guard or None,
            read_ms=_ms(began, looked_up),
            total_ms=_ms(began, time.perf_counter()),
        )
        log.info("told who rings", extra=told)

    return inbound


def _look(session: Session, started: Started) -> tuple[Inbound | None, dict[str, str], Heard, Decision, str]:
    found = look_up(session, started.did, started.at)
    if found is None:
        return None, {}, Heard(record=False), RING, ""
    caller = caller_of(session, started, found.region)
    known, heard = known_of(session, found, started, caller), heard_of(session, found, started, caller)
    decision = _guard(session, found, started, caller)
    return found, known, heard, decision, _told_source(session, found, started)


def _ms(since: float, until: float) -> float:
    return round((until - since) * 1e3, 1)


def _variable(word: str) -> str:
    """LL_LAST and LL_VISITOR; LL_BY_SOURCE and the like for what branches ask."""
    return f"LL_BY_{word.upper()}" if word in list(By) else f"LL_{word.upper()}"


def _guard(session: Session, found: Inbound, started: Started, caller: str | None) -> Decision:
    """What becomes of the caller; a guard that fails keeps nobody out, and comes last."""
    try:
        return look_up_guard(session, found.company_id, found.number_id, started, caller)
    except SQLAlchemyError:
        log.exception("rings unguarded", extra=of(started.call))
        return RING


def _told_source(session: Session, found: Inbound, started: Started) -> str:
    """For phone systems behind us; a look-up that fails costs them a header, and comes after all else."""
    try:
        return header_source(session, found, started)
    except SQLAlchemyError:
        log.exception("call=%s rings without its source", started.call)
        return ""


def guard_text(decision: Decision) -> str:
    """`busy-rule-17-0`, `challenged-hour-0-4`: how, why, the rule, the digit; empty for a call that rings."""
    match decision:
        case Block():
            return f"{decision.treatment}-{GuardGround.RULE}-{decision.rule_id}-0"
        case Challenge():
            digit = secrets.choice(DIGITS)
            return f"{Treatment.CHALLENGED}-{decision.ground}-{decision.rule_id or 0}-{digit}"
        case _:
            return ""


def rings_text(rings: Rings) -> str:
    """`3:25-5:20`: target 3 rings for 25 s, then target 5 for 20 s."""
    return "-".join(f"{ring.target_id}:{ring.ring_seconds}" for ring in rings)


def started_from(headers: Mapping[str, str]) -> Started:
    """The fact in an AGI request's nine arguments. Raises Unanswerable naming the unusable argument."""
    given = {
        name: _argument(name, pattern, headers.get(f"agi_arg_{position}", ""))
        for position, (name, pattern) in enumerate(_ARGUMENTS.items(), start=1)
    }
    dialled = headers.get("agi_dnid", "")
    return Started(
        call=given["call"],
        node=given["node"],
        at=datetime.fromtimestamp(float(given["at"]), UTC),
        uniqueid=given["uniqueid"],
        linkedid=given["linkedid"],
        trunk_id=int(given["trunk"].removeprefix("trunk-")) if given["trunk"] else None,
        did=given["did"],
        dialled=dialled if _DIALLED.fullmatch(dialled) else given["did"],
        caller=given["caller"],
        presentation=_presentation(given["presentation"]),
        caller_name=_name(headers.get("agi_calleridname", "")),
    )


def _argument(name: str, pattern: str, text: str) -> str:
    if not re.fullmatch(pattern, text):
        shown = "none that is one" if name == "caller" else repr(text[:40])  # no caller's number in the log
        raise Unanswerable(f"argument {name} is {shown}")
    return text


def _presentation(text: str) -> Presentation:
    """Asterisk's CALLERID(num-pres) in our words."""
    if text.startswith("allowed"):
        return Presentation.ALLOWED
    return Presentation.WITHHELD if text.startswith("prohib") else Presentation.UNAVAILABLE


def _name(text: str) -> str:
    """The caller's name; Asterisk writes `unknown` for none."""
    return "" if text == "unknown" else text[:200]
