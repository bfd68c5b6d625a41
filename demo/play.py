"""Plays the scenes of an act side by side and reads off the wire what became of each."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from demo import cast
from demo.cast import LONGEST_SECONDS, Spoken, Stage
from demo.ports import media_ports
from demo.sipp import Party
from demo.story import REGION, AskedToBeCalled, CalledBack, GivesUp, LeavesMessage, Presses, Scene, Talks
from tracker.policy.phone import display

Tell = Callable[[str], None]
_LISTENERS = 3  # main line, sales desk, carrier


@dataclass(frozen=True)
class Played:
    """A call as it went over the wire, by SIPp's clock. `trouble` says why it did not go as written."""

    scene: Scene
    started_at: float = 0.0
    wait_seconds: float = 0.0
    talk_seconds: float | None = None
    trouble: str | None = None


@dataclass
class _OnStage:
    """Everybody who plays in the act, and whether it is over."""

    stage: Stage
    spoken: Spoken
    tell: Tell
    parties: list[Party] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    sales: Party | None = None
    carrier: Party | None = None

    def joins(self, party: Party) -> Party:
        self.parties.append(party)
        return party


def play(
    stage: Stage,
    act: Sequence[Scene],
    tell: Tell,
    *,
    main_line: bool = True,
    ask: Callable[[Scene], None] = lambda _scene: None,
) -> list[Played]:
    """Play the scenes of an act side by side; `tell` hears what begins and what ends.

    `ask` has a visitor ask on the website to be called; it runs in this thread.
    """
    ports = media_ports(_LISTENERS + len(act))
    with (
        ThreadPoolExecutor(len(act)) as threads,
        _on_stage(_OnStage(stage, cast.rehearse(stage, act), tell)) as on,
    ):
        _listeners(on, act, ports[:_LISTENERS], main_line=main_line)
        playing = threads.map(lambda scene, port: _perform(on, scene, port), act, ports[_LISTENERS:])
        for scene in act:
            if isinstance(scene.course, AskedToBeCalled):
                _tell_begin(on, scene)
                ask(scene)
        return list(playing)


@contextmanager
def _on_stage(on: _OnStage) -> Iterator[_OnStage]:
    """At the end nobody is left there."""
    try:
        yield on
    finally:
        on.over.set()
        for party in on.parties:
            party.close()


def _listeners(on: _OnStage, act: Sequence[Scene], ports: Sequence[int], *, main_line: bool) -> None:
    """Those who are rung in the act."""
    if main_line and any(scene.reaches_main_line for scene in act):
        on.joins(cast.main_line(on.stage, act, on.spoken, ports[0]))
    if any(scene.reaches_sales for scene in act):
        on.sales = on.joins(cast.sales(on.stage, act, on.spoken, ports[1]))
    if any(scene.goes_out for scene in act):
        on.carrier = on.joins(cast.carrier(on.stage, act, on.spoken, ports[2]))


def _tell_begin(on: _OnStage, scene: Scene) -> None:
    on.tell(f"{scene.begins} {display(scene.dials, REGION)}")


def _perform(on: _OnStage, scene: Scene, media_port: int) -> Played:
    if on.over.wait(scene.starts_seconds):
        return Played(scene, trouble="not played")
    if isinstance(scene.course, AskedToBeCalled):
        played = _called(on, scene)
    else:
        _tell_begin(on, scene)
        played = _seen(on, scene, on.joins(_calling(on, scene, media_port)))
    if not on.over.is_set():
        on.tell(played.trouble or scene.ends)
    return played


def _calling(on: _OnStage, scene: Scene, media_port: int) -> Party:
    if isinstance(scene.course, CalledBack):
        return cast.desk_that_calls(on.stage, scene, on.spoken[scene], media_port)
    return cast.caller(on.stage, scene, on.spoken.get(scene), media_port)


def _called(on: _OnStage, scene: Scene) -> Played:
    """Somebody whom we call: read off the carrier's side, once the call is over."""
    end = time.monotonic() + LONGEST_SECONDS
    while on.carrier and time.monotonic() < end and not on.over.wait(0.1):
        try:
            invite = on.carrier.first(f"^INVITE.*{str(scene.number)[1:]}")
            answer = on.carrier.instant("200 OK", sent=True, call_id=invite.call_id)
            bye = on.carrier.instant("^BYE", call_id=invite.call_id)
        except LookupError:
            continue
        return Played(scene, invite.at, answer - invite.at, bye - answer)
    return Played(scene, trouble=f"{scene.who} was not called, or that call did not end")


def _seen(on: _OnStage, scene: Scene, party: Party) -> Played:
    """Wait for the end of the call and read its times off the wire."""
    try:
        failed = party.wait(LONGEST_SECONDS)
        begin = party.instant("^INVITE", sent=True)
        if failed:
            return Played(scene, begin, trouble=f"{scene.who} heard something else: {_last_line(party)}")
        return _timed(on, scene, party, begin)
    except (subprocess.TimeoutExpired, LookupError):
        return Played(scene, trouble=f"{scene.who}'s call did not go as it should: {party.tale()}")


def _timed(on: _OnStage, scene: Scene, party: Party, begin: float) -> Played:
    match scene.course:
        case CalledBack():  # the call begins in the books once it may go out
            return _called(on, scene)
        case Talks():
            answer, end = party.instant("200 OK", sent=False), party.instant("^BYE")
            return Played(scene, begin, answer - begin, end - answer)
        case Presses() if on.sales:  # the menu has answered before; the talk begins with the desk's answer
            answer, end = on.sales.instant("200 OK", sent=True), party.instant("^BYE")
            return Played(scene, begin, answer - begin, end - answer)
        case LeavesMessage():
            return Played(scene, begin, party.instant("^BYE") - begin)
        case GivesUp():
            return Played(scene, begin, party.instant("^CANCEL", sent=True) - begin)
        case _:
            return Played(scene, begin, party.instant(r"^SIP/2\.0 4", sent=False) - begin)


def _last_line(party: Party) -> str:
    """The last answer that came, which is not the one that was waited for."""
    answers = [message.line for message in party.messages() if not message.sent]
    return answers[-1].removeprefix("SIP/2.0 ") if answers else "nothing"
