"""Rows of CEL as Asterisk 22.10.1 wrote them for real calls, with other times and numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

CALLERS, COMPANYS = "PJSIP/trunk-7-00000000", "PJSIP/target-{}-00000001"


def answered_call(call: str, start: datetime, dialled: str, target_id: int = 3) -> bytes:
    """3 s of ringing, 4 s of talk; the caller hangs up. The linkedid is main-1.0."""
    target = COMPANYS.format(target_id)
    bridge = {"bridge_id": "ee3e930a", "bridge_technology": "simple_bridge"}
    end = {"hangupcause": 16, "hangupsource": CALLERS, "dialstatus": "ANSWER"}
    return b"".join(
        [
            _row("CHAN_START", start, 0, "", CALLERS, dialled),
            _row("CHAN_START", start, 1, "", target, "s"),
            _row("ANSWER", start + timedelta(seconds=3), 1, call, target, "3"),
            _row("ANSWER", start + timedelta(seconds=3), 0, call, CALLERS, "3"),
            _row("BRIDGE_ENTER", start + timedelta(seconds=3), 1, call, target, "", bridge),
            _row("BRIDGE_ENTER", start + timedelta(seconds=3), 0, call, CALLERS, "3", bridge),
            _row("BRIDGE_EXIT", start + timedelta(seconds=7), 0, call, CALLERS, "3", bridge),
            _row("HANGUP", start + timedelta(seconds=7), 0, call, CALLERS, "3", end),
            _row("CHAN_END", start + timedelta(seconds=7), 0, call, CALLERS, "3"),
            _row("BRIDGE_EXIT", start + timedelta(seconds=7), 1, call, target, "", bridge),
            _row("HANGUP", start + timedelta(seconds=7), 1, call, target, "", end | {"dialstatus": ""}),
            _row("CHAN_END", start + timedelta(seconds=7), 1, call, target, ""),
            _row("CHAN_END", start + timedelta(seconds=7), 1, call, target, ""),
            _row("LINKEDID_END", start + timedelta(seconds=7), 1, call, target, ""),
        ]
    )


def unanswered_call(call: str, start: datetime, dialled: str) -> bytes:
    """The caller gives up after 5 s of ringing."""
    end = {"hangupcause": 127, "hangupsource": CALLERS, "dialstatus": "CANCEL"}
    return b"".join(
        [
            _row("CHAN_START", start, 0, "", CALLERS, dialled),
            _row("CHAN_START", start, 1, "", COMPANYS.format(3), "s"),
            _row("HANGUP", start + timedelta(seconds=5), 0, call, CALLERS, "3", end),
            _row("CHAN_END", start + timedelta(seconds=5), 0, call, CALLERS, "3"),
            _row("LINKEDID_END", start + timedelta(seconds=5), 0, call, CALLERS, "3"),
        ]
    )


def _row(
    kind: str,
    at: datetime,
    leg: int,
    call: str,
    channel: str,
    exten: str,
    extra: Mapping[str, object] | None = None,
) -> bytes:
    text = json.dumps(extra, separators=(",", ":")).replace('"', '""') if extra else ""
    cells = (
        kind,
        f"{at.timestamp():.6f}",
        f"main-1.{leg}",
        "main-1.0",
        call,
        channel,
        "leaseline",
        exten,
        "",
        text,
    )
    return (",".join(f'"{cell}"' for cell in cells) + "\n").encode()
