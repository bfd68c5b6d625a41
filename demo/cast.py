"""Who is on stage, each a SIPp: the carrier with its callers, the company's main line, its sales desk."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo import scenario, speech
from demo.ports import CARRIER, OFFICE, SALES, UDP, free_port, listens
from demo.sipp import Party
from demo.story import Busy, GivesUp, LeavesMessage, Presses, Scene, Talks, TurnedAway
from tracker.errors import Rejected
from tracker.policy.facts import HungUpBy

LONGEST_SECONDS = 60  # a call; one that is still up then has gone wrong
_AFTER_TALK_SECONDS = 0.3
_WITHHELD = '"Anonymous" <sip:anonymous@anonymous.invalid>'
# What a carrier sends with a withheld number: the network knows it, nobody else shall (RFC 3323, RFC 3325).
_PRIVATE = ("Privacy: id", "P-Asserted-Identity: <sip:+442890180177@carrier.example>")
_REFUSALS = {Busy: 486, TurnedAway: 404}  # what the caller's network is told
_BUSY = [scenario.turn_down(486, "Busy Here")]

Spoken = Mapping[Scene, speech.Talk]


@dataclass(frozen=True)
class Stage:
    """Where it is played: the SIP ports of Asterisk and of those it rings, the folder for speech."""

    sip_port: int
    main_line_port: int
    sales_port: int
    carrier_port: int
    speech: Path


def rehearse(stage: Stage, act: Sequence[Scene]) -> Spoken:
    """Everything that is said in the act, spoken beforehand."""
    lines = {scene: scene.talk.lines for scene in act if scene.talk}
    lines |= {scene: (scene.course.line,) for scene in act if isinstance(scene.course, LeavesMessage)}
    return {scene: speech.record(stage.speech, _file(scene), each) for scene, each in lines.items()}


def _file(scene: Scene) -> str:
    return f"{scene.who.lower()}-{scene.dials[1:]}"


def caller(stage: Stage, scene: Scene, talk: speech.Talk | None, media_port: int) -> Party:
    """Somebody who calls one of the company's numbers."""
    who = f'"{scene.who}" <sip:{scene.number}@carrier.example>' if scene.number else _WITHHELD
    invite = scenario.invite(*(() if scene.number else _PRIVATE))
    return Party(
        scenario.caller([invite, *_caller_steps(scene, talk)], who=who),
        address=CARRIER,
        port=free_port(UDP, CARRIER),
        media_port=media_port,
        towards=f"{OFFICE}:{stage.sip_port}",
        number=scene.dials,
    )


def desk_that_calls(stage: Stage, scene: Scene, talk: speech.Talk, media_port: int) -> Party:
    """The sales desk, which dials the person's number."""
    steps = [scenario.invite(), scenario.answered(), scenario.say(talk.company), scenario.hung_up()]
    return Party(
        scenario.caller(steps, who=f'"Sales" <sip:200@{SALES}>'),
        address=SALES,
        port=free_port(UDP, SALES),
        media_port=media_port,
        towards=f"{OFFICE}:{stage.sip_port}",
        number=scene.number,
    )


def _caller_steps(scene: Scene, talk: speech.Talk | None) -> list[str]:
    up = [scenario.answered()]
    match scene.course:
        case Talks(hangs_up=HungUpBy.COMPANY) if talk:
            return [*up, scenario.say(talk.caller), scenario.hung_up()]
        case Presses(key, after, Talks(rings)) if talk:
            return [*up, scenario.wait(after), scenario.press(key), scenario.wait(rings), *_speaks(talk)]
        case LeavesMessage(after) if talk:
            return [*up, scenario.wait(after), *_speaks(talk)]
        case GivesUp(seconds):
            return [scenario.heard_ringing(), scenario.wait(seconds), scenario.give_up()]
        case course:
            return [*up, *_speaks(talk)] if talk else [scenario.refused(_REFUSALS.get(type(course), 480))]


def _speaks(talk: speech.Talk) -> list[str]:
    return [scenario.say(talk.caller), scenario.wait(talk.seconds + _AFTER_TALK_SECONDS), scenario.hang_up()]


def main_line(stage: Stage, act: Sequence[Scene], spoken: Spoken, media_port: int) -> Party:
    """The company's phone system: what it does with a call depends on who calls."""
    reached = [scene for scene in act if scene.reaches_main_line]
    cases = {scene.number[1:]: _phone_steps(scene, spoken.get(scene)) for scene in reached if scene.number}
    withheld = [scene for scene in reached if scene.number is None]
    otherwise = _phone_steps(withheld[0], spoken.get(withheld[0])) if withheld else _BUSY
    steps = scenario.by_caller(cases, otherwise)
    return _called("the main line", (OFFICE, stage.main_line_port), steps, len(reached), media_port)


def sales(stage: Stage, act: Sequence[Scene], spoken: Spoken, media_port: int) -> Party:
    """The sales desk's telephone: it is rung by a plan's menu, and for visitors who asked to be called."""
    reached = [scene for scene in act if scene.reaches_sales]
    cases = {str(scene.number)[1:]: _picks_up(scene, spoken[scene].company) for scene in reached}
    steps = scenario.by_caller(cases, _BUSY)
    return _called("the sales desk", (SALES, stage.sales_port), steps, len(reached), media_port)


def carrier(stage: Stage, act: Sequence[Scene], spoken: Spoken, media_port: int) -> Party:
    """The carrier's other side: people who are called."""
    reached = [scene for scene in act if scene.goes_out]
    cases = {
        str(scene.number)[1:]: _picks_up(scene, spoken[scene].caller, hangs_up_after=spoken[scene].seconds)
        for scene in reached
    }
    steps = scenario.by_caller(cases, _BUSY, header="to")
    return _called("the carrier", (CARRIER, stage.carrier_port), steps, len(reached), media_port)


def _picks_up(scene: Scene, says: Path, *, hangs_up_after: float | None = None) -> list[str]:
    rings = scene.talk.rings_seconds if scene.talk else 0.0
    steps = [scenario.ringing(), scenario.wait(rings), scenario.pick_up(), scenario.say(says)]
    if hangs_up_after is None:
        return [*steps, scenario.hung_up()]
    return [*steps, scenario.wait(hangs_up_after + _AFTER_TALK_SECONDS), scenario.phone_hangs_up()]


def _phone_steps(scene: Scene, talk: speech.Talk | None) -> list[str]:
    match scene.course:
        case Talks(hangs_up=who) if talk:
            after = None if who is HungUpBy.CALLER else talk.seconds
            return _picks_up(scene, talk.company, hangs_up_after=after)
        case Busy(seconds):
            return [scenario.ringing(), scenario.wait(seconds), *_BUSY]
        case _:
            return [scenario.ringing(), scenario.not_picked_up()]


def _called(who: str, place: tuple[str, int], steps: Sequence[str], calls: int, media_port: int) -> Party:
    """Raises Rejected demo.party when SIPp does not listen there."""
    address, port = place
    party = Party(
        scenario.phone([scenario.invited(), *steps]),
        address=address,
        port=port,
        media_port=media_port,
        calls=calls,
        options=("-timeout", f"{LONGEST_SECONDS}s"),
    )
    end = time.monotonic() + 10
    while not listens(party.process.pid, port):
        if party.process.poll() is not None or time.monotonic() > end:
            reason = " ".join(party.errors.splitlines()[1:2]) or "SIPp says nothing"
            party.close()
            raise Rejected(
                "demo.party",
                f"SIPp cannot play {who} on UDP port {port} of {address}: {reason}",
                "Look what has that port, `ss -ulpn`, and run the demo again",
            )
        time.sleep(0.02)
    return party
