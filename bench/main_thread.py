"""What a page load costs the browser's main thread, read from Chromium's own trace."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline"]
# Whatever runs JavaScript: where a page has no other script, all of it is the script's that is measured.
_SCRIPT = {
    "EvaluateScript", "v8.compile", "FunctionCall", "RunMicrotasks", "FireAnimationFrame", "TimerFire",
    "EventDispatch",
}  # fmt: skip
_RENDERING = {"UpdateLayoutTree", "Layout", "PrePaint", "Paint", "Layerize", "Commit"}
_TASK = {"RunTask"}


@dataclass(frozen=True)
class Load:
    """Milliseconds of CPU that one page load takes on the main thread; waiting for a busy machine is none."""

    script: float  # in JavaScript, with the layout and parsing that it forces
    rendering: float  # style, layout and paint besides
    all: float  # everything, the reading of the page included

    @property
    def cost(self) -> float:
        return self.script + self.rendering


def read_trace(trace: bytes, url: str) -> Load:
    """The load of the page of that address, as `Browser.stop_tracing` returns it."""
    events = [event for event in json.loads(trace)["traceEvents"] if event.get("ph") == "X"]
    thread = next((event["pid"], event["tid"]) for event in events if _reads(event, url))
    own = [event for event in events if (event["pid"], event["tid"]) == thread]
    outermost = list(_outermost(own, _SCRIPT | _RENDERING))
    return Load(
        script=_ms(event for event in outermost if event["name"] in _SCRIPT),
        rendering=_ms(event for event in outermost if event["name"] in _RENDERING),
        all=_ms(_outermost(own, _TASK)),
    )


def _reads(event: dict[str, Any], url: str) -> bool:
    begun = event.get("args", {}).get("beginData", {})
    return bool(event["name"] == "ParseHTML" and begun.get("url") == url)


def _outermost(events: Iterable[dict[str, Any]], names: set[str]) -> Iterable[dict[str, Any]]:
    """Those of the named events that lie in none of them: no millisecond is counted twice."""
    end = 0.0
    named = [event for event in events if event["name"] in names]
    for event in sorted(named, key=lambda event: (event["ts"], -event.get("dur", 0))):
        if event["ts"] >= end:
            end = event["ts"] + event.get("dur", 0)
            yield event


def _ms(events: Iterable[dict[str, Any]]) -> float:
    return sum(float(event.get("tdur", 0)) for event in events) / 1000
