"""What tracking and recording a call costs, against a bare Dial with MixMonitor in the same run.

Compared: CPU per call of everything that handles it (Asterisk, agi, worker) over the bare Asterisk's, in
turn, several rounds, with real audio both ways. Then, at 50 calls/s: how long the AGI's answer takes as the
dialplan sees it. Then the rate held for 60 s without a failed call, and the memory of
everything but Asterisk. SIPp runs on the same cores throughout.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.audio import speech, write_ulaw
from support.house import CARRIER, OFFICE, House, Line, until
from support.ports import free_port

from bench.bare import Bare, bare_asterisk
from bench.processes import cpu_seconds, family, memory_mb, own_cpu_seconds
from demo import scenario
from demo.ports import media_ports
from demo.scenario import answered, hang_up, hung_up, invite, invited, pick_up, ringing, say, wait
from demo.sipp import Party
from dialplan.facts import load_facts
from tracker.models import Call

# 20 s is a short call for a company: the longer people talk, the less the tracking weighs.
ROUNDS, CALLS_A_ROUND, TALK_SECONDS, AUDIO_RATE = 3, 60, 20, 4
ASKED_RATE, ASKED_SECONDS = 50, 20
HOLD_SECONDS, RATES = 60, (120, 100, 80, 60, 50, 40, 30)
ALL_CALLS = 10_000
_ENDLESS = 1_000_000


def run() -> dict[str, float]:
    """All figures of DESIGN.md's contract for call_path, and what they rest on."""
    house = House(LEASELINE_RECORDING_COPIES="mp3")
    try:
        line = house.line(ring_seconds=20)
        idle_mb = settled_memory(house)
        ratio = cpu_figures(house, line)
        asked = agi_figures(house, line)
        held = held_rate(house, line)
        after_mb = memory_after(house, line)
    finally:
        house.close()
    return {**ratio, **asked, **held, "idle_mb": idle_mb, "after_mb": after_mb}


# ---- CPU per call ----


@dataclass(frozen=True)
class Load:
    """Calls to place: how many, how fast, how long each talks, with or without sound."""

    calls: int
    rate: int
    talk_seconds: float
    audio: Path | None = None


def place(line: Line, load: Load, sip_port: int) -> int:
    """Run the load through an Asterisk; the number of calls that failed."""
    sound = [say(load.audio, -1)] if load.audio else []
    phone_media, caller_media = media_ports(2)
    phone = Party(
        scenario.phone([invited(), ringing(), wait(0.2), pick_up(), *sound, hung_up()]),
        address=OFFICE,
        port=line.phones[0].port,
        media_port=phone_media,
        calls=_ENDLESS,  # what a run before left over must not end it early
        trace=False,
    )
    caller = Party(
        scenario.caller(
            [invite(), answered(), *sound, wait(load.talk_seconds), hang_up()],
            who='"Ann" <sip:+4915[call_number]@carrier.example>',
        ),
        address=CARRIER,
        port=free_port(),
        media_port=caller_media,
        calls=load.calls,
        towards=f"{OFFICE}:{sip_port}",
        number=line.e164,
        trace=False,
        options=("-r", str(load.rate), "-l", "3000"),
    )
    try:
        caller.wait(load.calls / load.rate + load.talk_seconds + 60)
        return load.calls - caller.successful()
    finally:
        caller.close()
        phone.close()


def cpu_figures(house: House, line: Line) -> dict[str, float]:
    """CPU per call, ours over bare, round by round in turn; the median ratio."""
    audio = write_ulaw(
        house.home / "bench.ul", speech("I saw your pallets on the billboard, how much are they?")
    )
    load = Load(CALLS_A_ROUND, AUDIO_RATE, TALK_SECONDS, audio)
    with house.database.read() as session:
        facts = load_facts(session)
    ratios, ours_ms, bare_ms, later_ms = [], [], [], []
    with bare_asterisk(house, facts, f"PJSIP/main@target-{line.phones[0].target_id}") as bare:
        for _ in range(ROUNDS):
            theirs = bare_cost(line, load, bare)
            ours, later = our_cost(house, line, load)
            ratios.append(ours / theirs)
            ours_ms.append(ours * 1000)
            bare_ms.append(theirs * 1000)
            later_ms.append(later * 1000)
    print(
        f"CPU per call, {TALK_SECONDS} s talk, sound both ways, {ROUNDS} rounds of {CALLS_A_ROUND} in turn:"
    )
    print(f"  bare Dial with MixMonitor  {statistics.median(bare_ms):6.2f} ms")
    print(f"  tracked and recorded       {statistics.median(ours_ms):6.2f} ms   (Asterisk, agi and worker)")
    print(
        f"  recording finished later   {statistics.median(later_ms):6.2f} ms   (nice 10: WAV, waveform, MP3)"
    )
    print(f"  ratios {' '.join(f'{ratio:.2f}' for ratio in ratios)}")
    return {
        "cpu_ratio": statistics.median(ratios),
        "bare_ms": statistics.median(bare_ms),
        "tracked_ms": statistics.median(ours_ms),
    }


def bare_cost(line: Line, load: Load, bare: Bare) -> float:
    before = cpu_seconds(bare.pid)
    failed = place(line, load, bare.sip_port)
    assert failed == 0, f"{failed} calls failed on the bare Asterisk"
    return (cpu_seconds(bare.pid) - before) / load.calls


def our_cost(house: House, line: Line, load: Load) -> tuple[float, float]:
    """Seconds of CPU a call: on the path, and later for finishing the recording."""
    parts = {part: house.pid(part) for part in ("asterisk", "agi", "worker")}
    known = count(house)
    before = {part: own_cpu_seconds(pid) for part, pid in parts.items()}
    all_before = sum(cpu_seconds(pid) for pid in family(house.pid("worker")))
    failed = place(line, load, house.settings.sip_port)
    assert failed == 0, f"{failed} calls failed"
    until(lambda: count(house) == known + load.calls, 60, why="every call in the books")
    spent = {part: own_cpu_seconds(pid) - before[part] for part, pid in parts.items()}
    print("  " + ", ".join(f"{part} {seconds * 1000 / load.calls:.2f} ms" for part, seconds in spent.items()))
    until(lambda: not pending(house), 300, why="every recording finished")
    later = sum(cpu_seconds(pid) for pid in family(house.pid("worker"))) - all_before
    return sum(spent.values()) / load.calls, max(0.0, later) / load.calls


def count(house: House) -> int:
    return house.count(Call.ended_at.is_not(None))


def pending(house: House) -> int:
    return house.count(Call.recording.has(state="pending"))


# ---- the AGI's answer, and the rate ----


def agi_figures(house: House, line: Line) -> dict[str, float]:
    """How long stage 2 of the dialplan took: from the call's first instant to the first target dialled."""
    load = Load(ASKED_RATE * ASKED_SECONDS, ASKED_RATE, 0.5)
    before = set(waits(house))
    failed = place(line, load, house.settings.sip_port)
    until(lambda: len(waits(house)) >= len(before) + load.calls - failed, 30, why="every call in the spool")
    took = sorted(seconds for call, seconds in waits(house).items() if call not in before)
    unseen = house.count(Call.seen_by_agi.is_(False))
    p50, p99 = took[len(took) // 2] * 1000, took[int(len(took) * 0.99)] * 1000
    print(
        f"AGI's answer at {ASKED_RATE} calls/s, {len(took)} calls: p50 {p50:.0f} ms, p99 {p99:.0f} ms, "
        f"{unseen} calls without it"
    )
    return {"agi_p50_ms": p50, "agi_p99_ms": p99, "agi_missed": unseen}


def waits(house: House) -> dict[str, float]:
    """Seconds from start to first dial of each call in the spool."""
    start: dict[str, float] = {}
    found: dict[str, float] = {}
    for fact in spool(house):
        if fact["e"] == "start":
            start[fact["call"]] = float(fact["t"])
        elif fact.get("t0") and fact.get("n") == "1":
            found[fact["call"]] = float(fact["t0"]) - start.get(fact["call"], float(fact["t0"]))
    return found


def spool(house: House) -> Iterator[dict[str, str]]:
    for path in sorted(house.place.calls.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            yield json.loads(line)


def held_rate(house: House, line: Line) -> dict[str, float]:
    """The highest of the tried rates held for a minute with no call failed; each is tried for 10 s first."""
    for rate in RATES:
        if place(line, Load(rate * 10, rate, 0.5), house.settings.sip_port):
            print(f"{rate} calls/s: calls failed within 10 s")
            until(
                lambda: "0 active channels" in house.console("core show channels count"), 120, why="silence"
            )
            continue
        failed = place(line, Load(rate * HOLD_SECONDS, rate, 0.5), house.settings.sip_port)
        print(f"{rate} calls/s for {HOLD_SECONDS} s: {failed} of {rate * HOLD_SECONDS} failed")
        if not failed:
            return {"calls_per_s": rate, "failed": 0}
    return {"calls_per_s": 0, "failed": 1}


# ---- memory ----


def settled_memory(house: House) -> float:
    """Everything but Asterisk: supervisor, agi, web, worker, and what they started."""
    asterisk = set(family(house.pid("asterisk")))
    supervisor = int((house.home / "supervisor" / "supervisord.pid").read_text())
    return memory_mb(pid for pid in family(supervisor) if pid not in asterisk)


def memory_after(house: House, line: Line) -> float:
    """The same after 10,000 calls in all, with every recording finished."""
    until(lambda: not house.count(Call.ended_at.is_(None)), 120, why="every call ended in the books")
    missing = ALL_CALLS - count(house)
    if missing > 0:
        place(line, Load(missing, 40, 0.5), house.settings.sip_port)
    until(lambda: count(house) >= ALL_CALLS, 300, why="10,000 calls in the books")
    until(lambda: not pending(house), 1800, why="every recording finished")
    figure = settled_memory(house)
    print(f"memory of everything but Asterisk after {count(house)} calls: {figure:.0f} MB")
    return figure
