"""How a target is dialled: the one place that knows Asterisk's word for it."""

from __future__ import annotations

from tracker.models import Target, TargetKind, Trunk
from tracker.policy.phone import dialled_as


def dial_of(target: Target, did: str) -> str:
    """The argument of Asterisk's Dial.

    `did` is what a phone system is dialled with that names no extension: the number the caller dialled, or
    the variable that holds it. /n: a Local channel stays in the call; without it, answer and recording
    would lose their channel.
    """
    match target.kind:
        case TargetKind.PEER:
            return f"PJSIP/{target.dial or did}@target-{target.id}"
        case TargetKind.EXTENSION:
            return f"Local/{target.dial}/n" if _is_local(target) else f"PJSIP/{target.dial}"
        case TargetKind.PHONE:
            return f"PJSIP/target-{target.id}"
    return f"PJSIP/{as_dialled(target.e164 or '', target.trunk)}@trunk-{target.trunk_id}"


def as_dialled(e164: str, trunk: Trunk | None) -> str:
    """An outside number in the form its carrier wants."""
    return dialled_as(e164, trunk.dial_as.value, trunk.country or "") if trunk else e164


def header_policy(target: Target) -> str:
    """The extension of [leaseline-headers] for its leg: "own" shows our number, "caller" the caller's."""
    if target.kind is TargetKind.EXTENSION:
        return "none" if _is_local(target) else "caller"
    if target.kind is TargetKind.OUTSIDE and target.trunk is not None:
        return target.trunk.caller_id.value
    return target.caller_id.value


def _is_local(target: Target) -> bool:
    return "@" in (target.dial or "")
