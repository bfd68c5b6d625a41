"""The calls that are up right now, folded from AMI events: pure, fed with plain dicts and an instant.

A call is its caller's channel: the one that began the chain (Uniqueid = Linkedid) and carries our call key
as AccountCode. Every other channel with that key is a leg. Two channels in one bridge talk to each other;
that is all there is to know, so a transfer needs no rule of its own. Where that channel is gone, a leg
that still talks is the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tracker.live import TARGETS_CONTEXT

Event = Mapping[str, str]

_KEY = re.compile(r"[0-9A-Za-z-]{1,40}")
_TARGET = re.compile(r"PJSIP/target-(\d{1,9})-")
_DID = re.compile(r"\+\d{1,15}")
_RINGING = {"RINGING", "PROGRESS"}  # PROGRESS: early media, the caller hears the company's own ringing


@dataclass(frozen=True)
class _Channel:
    key: str
    caller: bool
    target: int | None
    did: str
    started_at: datetime
    ringing_since: datetime | None = None
    bridge: str = ""
    bridged_at: datetime | None = None


class LiveList:
    """`apply` events as they come, `replace` everything after a gap; `rows` is what there is."""

    def __init__(self) -> None:
        self._channels: dict[str, _Channel] = {}

    def apply(self, event: Event, at: datetime) -> bool:
        """Take one event in; True when it may have changed the rows."""
        uniqueid = event.get("Uniqueid", "")
        match event.get("Event"):
            case "NewAccountCode":
                return self._appeared(event, at)
            case "DialState" if event.get("DialStatus") in _RINGING:
                return self._rings(event, at)
            case "BridgeEnter":
                self._known_or_guest(event, at)
                return self._change(uniqueid, bridge=event.get("BridgeUniqueid", ""), bridged_at=at)
            case "BridgeLeave" if self._bridge_of(uniqueid) == event.get("BridgeUniqueid"):
                return self._change(uniqueid, bridge="", ringing_since=None)
            case "Hangup":
                return self._channels.pop(uniqueid, None) is not None
        return False

    def replace(self, channels: Iterable[Event], at: datetime) -> None:
        """Start again from the answer to CoreShowChannels; instants that still hold are kept."""
        known, self._channels = self._channels, {}
        dialled: dict[str, int] = {}
        for event in channels:
            if event.get("Event") != "CoreShowChannel":
                continue
            if not self._known_or_guest(event, at - _age(event)):
                continue
            uniqueid = event["Uniqueid"]
            fresh = self._channels[uniqueid]
            self._channels[uniqueid] = _listed(event, fresh, known.get(uniqueid))
            if fresh.caller and (target := _dialled(event)):
                dialled[fresh.key] = target
        for uniqueid, channel in self._channels.items():
            if not channel.caller and channel.target is None:
                self._channels[uniqueid] = replace(channel, target=dialled.get(channel.key))

    def clear(self) -> None:
        self._channels.clear()

    def rows(self) -> list[dict[str, Any]]:
        """One JSON object a call, the oldest first: call, state, since, started, did, target."""
        legs: dict[str, list[_Channel]] = {}
        for channel in self._channels.values():
            if not channel.caller:
                for place in {channel.key, channel.bridge} - {""}:
                    legs.setdefault(place, []).append(channel)
        callers = [channel for channel in self._channels.values() if channel.caller]
        callers += _left(self._channels.values(), {caller.key for caller in callers})
        return [
            _row(caller, [*legs.get(caller.key, []), *legs.get(caller.bridge, [])])
            for caller in sorted(callers, key=lambda c: c.started_at)
        ]

    def _known_or_guest(self, event: Event, at: datetime) -> bool:
        """Whether to follow the channel: part of a call, or a target that may be put through to one."""
        if event.get("Uniqueid", "") in self._channels or self._appeared(event, at):
            return True
        return bool(_TARGET.match(event.get("Channel", ""))) and self._add(event, "", at)

    def _appeared(self, event: Event, at: datetime) -> bool:
        key = event.get("AccountCode", "")
        return bool(_KEY.fullmatch(key)) and self._add(event, key, at)

    def _add(self, event: Event, key: str, at: datetime) -> bool:
        uniqueid = event.get("Uniqueid", "")
        known = self._channels.get(uniqueid)
        if not uniqueid or (known is not None and known.key == key):
            return False
        target = _TARGET.match(event.get("Channel", ""))
        did = event.get("Exten", "")
        self._channels[uniqueid] = _Channel(
            key=key,
            caller=bool(key) and uniqueid == event.get("Linkedid"),
            target=int(target[1]) if target else None,
            did=did if _DID.fullmatch(did) else "",
            started_at=at,
        )
        return True

    def _rings(self, event: Event, at: datetime) -> bool:
        uniqueid = event.get("DestUniqueid", "")
        leg = self._channels.get(uniqueid)
        if leg is None or leg.ringing_since is not None:  # early media after ringing is still ringing
            return False
        return self._change(uniqueid, ringing_since=at, target=leg.target or _dialled(event))

    def _change(self, uniqueid: str, **values: Any) -> bool:
        channel = self._channels.get(uniqueid)
        if channel is not None:
            self._channels[uniqueid] = replace(channel, **values)
        return channel is not None

    def _bridge_of(self, uniqueid: str) -> str:
        channel = self._channels.get(uniqueid)
        return channel.bridge if channel is not None else ""


def _left(channels: Iterable[_Channel], held: Set[str]) -> list[_Channel]:
    """Whoever was called, and talks on after the phone that called has handed him on: the call is his."""
    found: dict[str, _Channel] = {}
    for channel in sorted(channels, key=lambda it: it.started_at):
        if channel.key and channel.bridge and channel.key not in held:
            found.setdefault(channel.key, channel)
    return list(found.values())


def _row(caller: _Channel, legs: list[_Channel]) -> dict[str, Any]:
    talking = [leg for leg in legs if caller.bridge and leg.bridge == caller.bridge]
    ringing = [leg for leg in legs if _waits(leg, caller)]
    if talking:
        leg = talking[-1]
        begins = [at for at in (caller.bridged_at, leg.bridged_at) if at is not None]
        state, since, target = "talking", max(begins), leg.target
    elif ringing:
        leg = ringing[-1]
        state, since, target = "ringing", leg.ringing_since or leg.started_at, leg.target
    elif caller.bridged_at is not None:  # being handed on, or about to end
        state, since, target = "talking", caller.bridged_at, None
    else:
        state, since, target = "arriving", caller.started_at, None
    return {
        "call": caller.key,
        "state": state,
        "since": since.isoformat(),
        "started": caller.started_at.isoformat(),
        "did": caller.did,
        "target": target or caller.target,  # who calls out is a target
    }


def _waits(leg: _Channel, caller: _Channel) -> bool:
    """Whether the leg is yet to talk to the caller; one that picked up is until the caller is there."""
    if leg.ringing_since is None:
        return False
    return leg.bridged_at is None or caller.bridged_at is None or leg.bridged_at > caller.bridged_at


def _listed(event: Event, fresh: _Channel, known: _Channel | None) -> _Channel:
    """A channel as CoreShowChannels has it, with the instants we knew where they still hold."""
    now, bridge = known or fresh, event.get("BridgeId", "")
    if bridge:
        same = now.bridge == bridge
        return replace(now, bridge=bridge, bridged_at=now.bridged_at if same else now.started_at)
    rings = event.get("ChannelStateDesc") == "Ringing" and now.ringing_since is None
    return replace(now, bridge="", ringing_since=now.started_at if rings else now.ringing_since)


def _dialled(event: Event) -> int | None:
    """The target that the caller's channel is dialling, by its place in the dialplan."""
    text = event.get("Exten", "")
    return int(text) if event.get("Context") == TARGETS_CONTEXT and text.isdecimal() else None


def _age(event: Event) -> timedelta:
    """How long a listed channel is up: `Duration: 00:01:05`."""
    parts = event.get("Duration", "").split(":")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return timedelta()
    hours, minutes, seconds = map(int, parts)
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
