"""Plans rung on a real Asterisk, and what happened told as a trial tells it.

    rung = ring_all(house, exchange, drawn_plans)
    rung[0].way == way_of(trial)

What happens is read from the spool as it is written; the callers press their keys when it says that they are
asked to.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from support.exchange import Exchange, OutCall

from tracker.policy.plan import Code, Consent, Menu, Order, Plan, Ring
from tracker.policy.plan_trial import Trial, What

PROMPT_SECONDS = 0.2
# The caller answers in the middle of the second in which he may.
_FIRST, _NEXT = 0.55, 0.35
_ENDS = {"busy": 486, "refused": 403, "no answer": 480}
_ENDED = "ended: "
_CAME_OF = {What.NO_ANSWER, What.BUSY, What.UNREACHABLE}
Line = Mapping[str, Any]


@dataclass
class Rung:
    """A call that is going on: its plans by their ids, the keys its caller has left, its lines so far."""

    call: OutCall
    plans: Mapping[str, Plan]  # by "7-3"
    targets: Mapping[str, str]  # names by ids
    keys: Iterator[str]
    lines: list[Line] = field(default_factory=list)
    tries: int = 0

    @property
    def is_known(self) -> bool:
        """Whether Leaseline answered in time: on a slow machine it may not, and the plan goes on without."""
        return any(line["e"] == "end" and line["ok"] == "1" for line in self.lines)

    @property
    def is_over(self) -> bool:
        return any(line["e"] == "end" for line in self.lines)


def follow(folder: Path, rung: Iterable[Rung], exchange: Exchange, seconds: float = 60) -> None:
    """Reads the spool until each of the calls has ended, and presses their callers' keys."""
    by_caller = {each.call.caller: each for each in rung}
    by_call: dict[str, Rung] = {}
    read: dict[Path, int] = {}
    end = time.monotonic() + seconds
    while not all(each.is_over and each.call.over.is_set() for each in by_caller.values()):
        if time.monotonic() > end:
            left = [each.lines for each in by_caller.values() if not each.is_over]
            raise TimeoutError(f"{len(left)} calls have not ended: {left[:2]}")
        for line in _new_lines(folder, read):
            if line["e"] == "start" and line["cli"] in by_caller:
                by_call[line["call"]] = by_caller[line["cli"]]
            if (each := by_call.get(line["call"])) is not None:
                each.lines.append(line)
                _react(each, line, exchange)
        time.sleep(0.01)


def _new_lines(folder: Path, read: dict[Path, int]) -> Iterator[Line]:
    for path in sorted(folder.glob("calls-*.jsonl")):
        with path.open("rb") as file:
            file.seek(read.get(path, 0))
            while (line := file.readline()).endswith(b"\n"):
                read[path] = file.tell()
                yield json.loads(line)


def _react(rung: Rung, line: Line, exchange: Exchange) -> None:
    """The caller at a prompt: he presses the next key that the script has for him, if it is one."""
    if line["e"] != "step":
        return
    step = rung.plans[line["plan"]].steps[line["step"]]
    if line["what"] == "came":
        rung.tries = step.tries if isinstance(step, Menu) else 1
        if isinstance(step, Menu | Code) or (isinstance(step, Consent) and step.refuse is not None):
            _press(rung, exchange, _FIRST)
    elif line["what"] == "pressed" and isinstance(step, Menu) and line["about"] not in step.keys:
        _press(rung, exchange, _NEXT)


def _press(rung: Rung, exchange: Exchange, seconds: float) -> None:
    """At every try; where he presses nothing, the next try begins a second later."""
    while rung.tries > 0:
        rung.tries -= 1
        key = next(rung.keys, "")
        if key:
            exchange.after(seconds, partial(exchange.press, rung.call, key))
            return
        seconds += PROMPT_SECONDS + 1


# ---- told alike ----


def way_of(trial: Trial, plans: Mapping[str, Plan]) -> list[str]:
    """A trial as the spool can tell it: of those who rang at once the winner alone, others in no order."""
    told = _Told()
    for event in trial.events:
        step = plans[event.plan].steps[event.place]
        at_once = isinstance(step, Ring) and step.order is Order.AT_ONCE
        if event.what is What.ANSWERED and at_once:
            told.forget_results()
        if event.what in {*_CAME_OF, What.ANSWERED}:
            told.result(f"{event.about}: {event.what}")
        elif event.what is What.ENDED:
            told.plain(f"{_ENDED}{event.about}")
        elif event.what is not What.RINGS:
            told.plain(f"{event.plan}/{event.place}: {event.what} {event.about}")
    return told.lines


def way_on_asterisk(rung: Rung) -> list[str]:
    """What the spool tells of a call, in the same words."""
    told = _Told()
    answered = is_up = False
    for line in rung.lines:
        if line["e"] == "leg":
            told.result(f"{rung.targets[line['target']]}: {_came_of(line)}")
        elif line["e"] == "answer":
            answered = True
            told.result(f"{rung.targets[line['target']]}: {What.ANSWERED}")
        elif line["e"] == "step":
            plan = rung.plans[line["plan"]]
            told.plain(f"{plan.name}/{line['step']}: {line['what']} {line['about']}")
            is_up = is_up or line["what"] == "message"
    if not answered and not is_up:
        told.plain(f"{_ENDED}{_ended(rung.call)}")
    return told.lines


def agree(expected: list[str], happened: list[str]) -> bool:
    """After sound was heard a network is not told any more why a call ended."""
    if happened[-1] == f"{_ENDED}code 200" and expected[-1].startswith(_ENDED):
        return expected[:-1] == happened[:-1]
    return expected == happened


def _came_of(line: Line) -> What:
    status, cause, rang = line["st"], line["hc"], line["ring"] != ""
    if status == "BUSY" or (status == "CHANUNAVAIL" and cause == "21"):
        return What.BUSY
    return What.NO_ANSWER if status == "NOANSWER" and rang else What.UNREACHABLE


def _ended(call: OutCall) -> str:
    """By the code that the caller's network is told; after sound was heard nothing is told any more."""
    return next((word for word, code in _ENDS.items() if code == call.code), f"code {call.code}")


class _Told:
    """Lines; those of one ringing stand in an order of their own."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._since = 0

    def result(self, line: str) -> None:
        self.lines[self._since :] = sorted([*self.lines[self._since :], line])

    def plain(self, line: str) -> None:
        self.lines.append(line.strip())
        self._since = len(self.lines)

    def forget_results(self) -> None:
        del self.lines[self._since :]
