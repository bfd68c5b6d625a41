"""`leaseline call test`: a real call to one of our numbers, and what arrived of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from commands.context import company_option, here, json_option
from commands.trial import Step, outcome, placed
from commands.trunk_test import print_steps, told

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from commands.context import Here
    from tracker.models import Call, Number

T = TypeVar("T")
SETTLED_SECONDS = 30.0  # for the books and the recording
LOUD = 3  # of 100: what is above is no silence


@click.group("call")
def call_group() -> None:
    """One call of our own, to see whether callers come through.

    \b
    Example:
      leaseline call test +74951234567
    """


@call_group.command("test")
@click.argument("number")
@click.option(
    "--over", metavar="TRUNK", help="Go out by this trunk and come in by another; else stay inside."
)
@click.option("--shown", help="The number shown as the caller; default: the number itself.")
@company_option
@json_option
def test_command(
    number: str, over: str | None, shown: str | None, company: str | None, as_json: bool
) -> None:
    """Really call one of our numbers, and tell step by step what arrived.

    With --over the call goes out into the world by that trunk and has to find its way back in; it costs what
    any call costs. Without, it begins here as if the carrier had delivered it. Who answers hears a tone for
    some seconds. The call is in the books like any other. Exits with 1 when something is amiss.

    \b
    Examples:
      leaseline call test +74951234567
      leaseline call test +74951234567 --over carrier
    """
    opened = here()
    steps, key = _tried(opened, number, over, shown, company)
    print_steps(steps, as_json=as_json, call=key)


def _tried(
    opened: Here, number: str, over: str | None, shown: str | None, company: str | None
) -> tuple[list[Step], str | None]:
    from tracker import companies, numbers, trunks
    from tracker.policy.phone import dialled_as, read_number

    with opened.database.read() as session:
        owner = companies.choose(session, company)
        found = numbers.get(session, owner, number)
        caller = read_number(shown, owner.default_region) if shown else found.e164
        trunk = trunks.get(session, over) if over else None
        steps = list(_before(opened, session, found))
        dialled = found.e164
        if trunk:
            dialled = dialled_as(found.e164, trunk.dial_as.value, trunk.country or "")
    if not all(step.ok for step in steps):
        return steps, None
    since = opened.now - timedelta(seconds=1)
    with placed(opened, trunk.id if trunk else 0, dialled, caller) as look:
        trial = outcome(look)
    placed_so = list(told(trial, found.e164))
    arrived = _until(lambda: _arrived(opened, found.id, since), 5 if trial.ended else 1)
    if arrived is None:
        return [*steps, *placed_so, _lost(over)], None
    return [*steps, *_after(arrived), *(step for step in placed_so if step.name == "sound")], arrived.key


def _before(opened: Here, session: Session, number: Number) -> Iterator[Step]:
    """What can be known before anybody calls."""
    from dialplan.apply import answered
    from dialplan.render import place_of
    from tracker.number_states import who_rings

    live = number.e164 in answered(place_of(opened.settings))
    state = number.state.value
    if not live:
        fix = "Run `leaseline apply`" if state != "retired" else "Take another number: this one is retired"
        yield Step("number", False, f"{number.e164} is {state}, and not answered", fix)
        return
    yield Step("number", True, f"{number.e164} is {state}, and answered")
    rings = who_rings(session, [number.id])[number.id]
    shown = ", ".join(f"{target.name} for {seconds} s" for target, seconds in rings.rings)
    if rings.plan is not None:
        shown = f"by the plan {rings.plan.name}"
    yield Step(
        "who rings", bool(rings), shown or "nobody", "" if rings else "Say who: `leaseline forward set`"
    )


def _lost(over: str | None) -> Step:
    if over is None:
        return Step("arrived", False, "no call came", "See `leaseline logs asterisk`")
    fix = (
        "Ask the carrier of the number where it sends its calls; see `leaseline doctor` for refused strangers"
    )
    return Step("arrived", False, "the call went out, and none came in", fix)


@dataclass(frozen=True)
class Arrived:
    """A call as the books have it, with what a person wants to know of it."""

    key: str
    trunk: str | None
    dialled: str
    caller: str | None
    outcome: str
    answered_by: str | None
    rang: tuple[str, ...]
    recording: str | None
    loud: dict[str, bool] | None


def _arrived(opened: Here, number_id: int, since: datetime) -> Arrived | None:
    """The newest call on the number since then, once the books and the recording are done with it."""
    import sqlalchemy as sa
    from sqlalchemy.orm import joinedload

    from tracker.models import Call

    wanted = (
        sa.select(Call)
        .options(joinedload(Call.recording), joinedload(Call.target))
        .where(Call.number_id == number_id, Call.started_at >= since)
        .order_by(Call.id.desc())
        .limit(1)
    )
    until = time.monotonic() + SETTLED_SECONDS
    while True:
        with opened.database.read() as session:
            call = session.scalar(wanted)
            if call is None or call.ended_at is None or _is_pending(call):
                if call is None or time.monotonic() > until:
                    return None if call is None else _described(session, call)
            else:
                return _described(session, call)
        time.sleep(0.2)


def _is_pending(call: Call) -> bool:
    return call.recording is not None and call.recording.state.value == "pending"


def _described(session: Session, call: Call) -> Arrived:
    import sqlalchemy as sa

    from tracker.models import CallEvent, Target, Trunk

    events = session.scalars(sa.select(CallEvent).where(CallEvent.call_id == call.id).order_by(CallEvent.id))
    details: list[tuple[str, dict[str, Any]]] = [(each.kind, each.detail) for each in events]
    started = next((detail for kind, detail in details if kind == "started"), {})
    ids = {detail.get("target_id") for kind, detail in details if kind == "leg_ended"}
    names = session.scalars(sa.select(Target.name).where(Target.id.in_([each for each in ids if each])))
    trunk = session.get(Trunk, call.trunk_id) if call.trunk_id else None
    recording = call.recording
    return Arrived(
        key=call.key,
        trunk=trunk.name if trunk else None,
        dialled=str(started.get("dialled") or ""),
        caller=call.caller,
        outcome=call.outcome.value if call.outcome else "going on",
        answered_by=call.target.name if call.target else None,
        rang=tuple(names),
        recording=recording.state.value if recording else None,
        loud={side: max(peaks, default=0) > LOUD for side, peaks in recording.peaks.items()}
        if recording and recording.peaks
        else None,
    )


def _after(call: Arrived) -> Iterator[Step]:
    """What arrived, in words."""
    way = f"by trunk {call.trunk}" if call.trunk else "from inside, by no trunk"
    form = f", which wrote the number as {call.dialled}" if call.dialled else ""
    yield Step("arrived", True, f"{way}{form}")
    yield Step("caller", True, f"shown as {call.caller}" if call.caller else "withheld, or without a number")
    passed = "".join(f"{name} did not take it; " for name in call.rang)
    fix = "Look whether the targets answer: `leaseline doctor`"
    if call.answered_by:
        yield Step("who rang", True, f"{passed}{call.answered_by} answered")
    else:
        broken = call.outcome == "failed"
        yield Step("who rang", not broken, f"{passed}nobody answered ({call.outcome})", fix if broken else "")
        return
    if call.recording in {None, "none"}:
        yield Step("recording", True, "not recorded")
        return
    ready = call.recording == "ready"
    yield Step("recording", ready, str(call.recording), "" if ready else "See `leaseline doctor`")
    if call.loud is not None:
        yield _heard(call.loud)


def _heard(loud: dict[str, bool]) -> Step:
    """Whether each side is in the recording."""
    silent = [side for side, is_loud in loud.items() if not is_loud]
    if not silent:
        return Step("recorded sound", True, "both sides are heard")
    if silent == ["company"]:
        return Step("recorded sound", True, "the caller is heard; who answered said nothing")
    fix = "Open the RTP ports (rtp_start to rtp_end); behind NAT set sip_external_address"
    return Step("recorded sound", False, f"silent: {', '.join(silent)}", fix)


def _until(look: Callable[[], T | None], seconds: float) -> T | None:
    end = time.monotonic() + seconds
    while (found := look()) is None and time.monotonic() < end:
        time.sleep(0.2)
    return found
