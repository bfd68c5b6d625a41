"""Plays scenes: SIPp is the carrier with its callers, on 127.0.0.2, and the main line, on 127.0.0.1."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo import scenario, speech
from demo.ports import UDP, free_port, listens, media_ports
from demo.sipp import Party
from demo.story import REGION, Busy, GivesUp, Scene, Talks, TurnedAway
from tracker.errors import Rejected
from tracker.policy.facts import HungUpBy
from tracker.policy.phone import display

CARRIER, OFFICE = "127.0.0.2", "127.0.0.1"
LONGEST_SECONDS = 60  # a call; one that is still up then has gone wrong
_AFTER_TALK_SECONDS = 0.3
_WITHHELD = '"Anonymous" <sip:anonymous@anonymous.invalid>'
# What a carrier sends with a withheld number: the network knows it, nobody else shall (RFC 3323, RFC 3325).
_PRIVATE = ("Privacy: id", "P-Asserted-Identity: <sip:+442890180177@carrier.example>")

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Stage:
    """Where it is played: Asterisk's SIP port, the main line's port, the folder for speech."""

    sip_port: int
    main_line_port: int
    speech: Path


@dataclass(frozen=True)
class Played:
    """A call as it went over the wire, by SIPp's clock. `trouble` says why it did not go as written."""

    scene: Scene
    started_at: float = 0.0
    wait_seconds: float = 0.0
    talk_seconds: float | None = None
    trouble: str | None = None


def play(stage: Stage, act: Sequence[Scene], tell: Tell, *, main_line: bool = True) -> list[Played]:
    """Play the scenes of an act side by side; `tell` hears what begins and what ends."""
    talks = {
        scene: speech.record(stage.speech, scene.who.lower(), scene.course.lines)
        for scene in act
        if isinstance(scene.course, Talks)
    }
    main_audio, *audio = media_ports(1 + len(act))
    with ThreadPoolExecutor(len(act)) as threads, _cast() as (cast, over):
        if main_line:
            cast.append(_main_line(stage, act, talks, main_audio))

        def perform(scene: Scene, media_port: int) -> Played:
            if over.wait(scene.starts_seconds):
                return Played(scene, trouble="not played")
            tell(f"{scene.begins} {display(scene.dials, REGION)}")
            cast.append(party := _caller(stage, scene, talks.get(scene), media_port))
            played = _seen(scene, party)
            if not over.is_set():
                tell(played.trouble or scene.ends)
            return played

        return list(threads.map(perform, act, audio))


@contextmanager
def _cast() -> Iterator[tuple[list[Party], threading.Event]]:
    """Everybody on stage, and whether the play is over; at the end nobody is left there."""
    cast: list[Party] = []
    over = threading.Event()
    try:
        yield cast, over
    finally:
        over.set()
        for party in cast:
            party.close()


def _caller(stage: Stage, scene: Scene, talk: speech.Talk | None, media_port: int) -> Party:
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


def _caller_steps(scene: Scene, talk: speech.Talk | None) -> list[str]:
    match scene.course:
        case Talks(hangs_up=who) if talk:
            steps = [scenario.answered(), scenario.say(talk.caller)]
            if who is HungUpBy.COMPANY:
                return [*steps, scenario.hung_up()]
            return [*steps, scenario.wait(talk.seconds + _AFTER_TALK_SECONDS), scenario.hang_up()]
        case Busy():
            return [scenario.refused(486)]
        case GivesUp(seconds):
            return [scenario.heard_ringing(), scenario.wait(seconds), scenario.give_up()]
        case TurnedAway():
            return [scenario.refused(404)]
        case _:
            return [scenario.refused(480)]


def _main_line(
    stage: Stage, act: Sequence[Scene], talks: Mapping[Scene, speech.Talk], media_port: int
) -> Party:
    """The company's phone system: what it does with a call depends on who calls."""
    reached = [scene for scene in act if scene.reaches_main_line]
    cases = {scene.number[1:]: _phone_steps(scene, talks.get(scene)) for scene in reached if scene.number}
    withheld = [scene for scene in reached if scene.number is None]
    otherwise = _phone_steps(withheld[0], talks.get(withheld[0])) if withheld else _BUSY
    party = Party(
        scenario.phone([scenario.invited(), *scenario.by_caller(cases, otherwise)]),
        address=OFFICE,
        port=stage.main_line_port,
        media_port=media_port,
        calls=len(reached),
        options=("-timeout", f"{LONGEST_SECONDS}s"),
    )
    _await_listening(party, stage.main_line_port)
    return party


def _await_listening(party: Party, port: int) -> None:
    end = time.monotonic() + 10
    while not listens(party.process.pid, port):
        if party.process.poll() is not None or time.monotonic() > end:
            reason = " ".join(party.errors.splitlines()[1:2]) or "SIPp says nothing"
            party.close()
            raise Rejected(
                "demo.main_line",
                f"SIPp cannot play the main line on UDP port {port}: {reason}",
                "Look what has that port, `ss -ulpn`, and run the demo again",
            )
        time.sleep(0.02)


_BUSY = [scenario.turn_down(486, "Busy Here")]


def _phone_steps(scene: Scene, talk: speech.Talk | None) -> list[str]:
    match scene.course:
        case Talks(rings, hangs_up=who) if talk:
            steps = [scenario.ringing(), scenario.wait(rings), scenario.pick_up(), scenario.say(talk.company)]
            if who is HungUpBy.CALLER:
                return [*steps, scenario.hung_up()]
            return [*steps, scenario.wait(talk.seconds + _AFTER_TALK_SECONDS), scenario.phone_hangs_up()]
        case Busy(seconds):
            return [scenario.ringing(), scenario.wait(seconds), *_BUSY]
        case _:
            return [scenario.ringing(), scenario.not_picked_up()]


def _seen(scene: Scene, party: Party) -> Played:
    """Wait for the end of the call and read its times off the wire."""
    try:
        failed = party.wait(LONGEST_SECONDS)
        begin = party.instant("^INVITE", sent=True)
        if failed:
            return Played(scene, begin, trouble=f"{scene.who} heard something else: {_last_line(party)}")
        return _timed(scene, party, begin)
    except (subprocess.TimeoutExpired, LookupError):
        return Played(scene, trouble=f"{scene.who}'s call did not end")


def _timed(scene: Scene, party: Party, begin: float) -> Played:
    match scene.course:
        case Talks():
            answer, end = party.instant("200 OK", sent=False), party.instant("^BYE")
            return Played(scene, begin, answer - begin, end - answer)
        case GivesUp():
            return Played(scene, begin, party.instant("^CANCEL", sent=True) - begin)
        case _:
            return Played(scene, begin, party.instant(r"^SIP/2\.0 4", sent=False) - begin)


def _last_line(party: Party) -> str:
    """The last answer that came, which is not the one that was waited for."""
    answers = [message.line for message in party.messages() if not message.sent]
    return answers[-1].removeprefix("SIP/2.0 ") if answers else "nothing"
