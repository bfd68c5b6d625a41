"""What stands in the form of a step of a plan: its document, as tracker.policy.plan_document writes it."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from flask import request

from tracker.errors import Rejected
from tracker.policy.plan import Order
from tracker.policy.plan_check import KEYS
from tracker.policy.week import DAYS
from web.house import row_id
from web.settings.forms import text

Document = dict[str, Any]
ARRANGES = ("up", "down", "remove", "add")
_ENDS: tuple[str, ...] = ()
WAYS = {
    "hours": ("then", "closed"),
    "ring": ("then", "busy", "unreachable"),
    "voicemail": _ENDS,
    "plan": _ENDS,
    "hangup": _ENDS,
}
_NUMBERS = {
    "voicemail": ("most_seconds",),
    "menu": ("seconds", "tries"),
    "last": ("seconds",),
    "responsible": ("seconds",),
    "code": ("digits", "seconds"),
}
_DOTTED = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.?([0-9]{4})?", re.ASCII)
_WORDS = {"branch": ("by",), "plan": ("plan",), "hangup": ("cause",), "consent": ("refuse",)}


def typed(step: Document) -> Document:
    """The step's document with what stands in the form. Raises Rejected plan.say, plan.special."""
    kind = step["kind"]
    found = {**step, **_own(kind)}
    if "say" in step:
        found["say"] = _say(step["say"])
    words = (*_WORDS.get(kind, ()), *ways_of(kind))
    # What a form does not ask for stays as it is.
    found |= {word: text(word) for word in words if word in request.form}
    found |= {word: _whole(text(word)) for word in _NUMBERS.get(kind, ()) if word in request.form}
    return {word: value for word, value in found.items() if value != ""}


def ways_of(kind: str) -> tuple[str, ...]:
    """The words of a step of that kind for where calls go; those of keys and cases come besides."""
    return WAYS.get(kind, ("then",))


def _own(kind: str) -> Document:
    match kind:
        case "hours":
            return {
                "open": _open(),
                "holidays": [_days(word) for word in _spans(text("holidays")).split()],
                "special": _special(),
            }
        case "ring":
            return {"targets": arranged(members()), "order": text("order") or Order.IN_TURN.value}
        case "voicemail":
            return {"mail": text("mail").split()}
        case "menu":
            return {"keys": _keys()}
        case "branch":
            return {"cases": {word: there for word, there in cases() if word}}
    return {}


def _keys() -> dict[str, str]:
    """Where each key leads; one that leads nowhere is none of the menu's."""
    found = {key: text(f"key-{key}") for key in KEYS if text(f"key-{key}")}
    return {**found, text("new_key"): text("new_key_to")} if text("new_key") else found


def cases() -> list[tuple[str, str]]:
    """The words of a branch, with where calls go then."""
    words, ways = (request.form.getlist(name) for name in ("case", "case_to"))
    return [(word.strip(), there.strip()) for word, there in zip(words, ways, strict=False)]


def _say(stored: str | dict[str, str]) -> str | dict[str, str]:
    """A prompt that is chosen, else words; those in another language stay in it."""
    if text("sound"):
        return {"sound": text("sound")}
    if not text("say"):
        raise Rejected("plan.say", "Nothing is said", "Type the words, or choose a prompt")
    language = stored.get("language") if isinstance(stored, dict) else None
    return {"words": text("say"), "language": language} if language else text("say")


def _open() -> dict[str, str]:
    """Days that have the same hours one after another are told as one."""
    told = [(day, _spans(text(f"open-{day}"))) for day in DAYS]
    runs = [(spans, [day for day, _ in run]) for spans, run in groupby(told, key=lambda it: it[1])]
    return {(f"{days[0]}-{days[-1]}" if len(days) > 1 else days[0]): spans for spans, days in runs if spans}


def _special() -> dict[str, str]:
    """ "12-24 09:00-12:00" on each line."""
    lines = [line.split(maxsplit=1) for line in text("special").splitlines() if line.strip()]
    wrong = next((line for line in lines if len(line) < 2), None)
    if wrong is not None:
        raise Rejected(
            "plan.special",
            "%(line)r is no day with hours",
            "One day on each line with its hours: 24.12. 09:00-12:00",
            line=wrong[0][:40],
        )
    return {_days(_spans(day)): _spans(spans) for day, spans in lines}


def _spans(typed: str) -> str:
    """Hours that were copied from a page have its dashes."""
    return typed.replace("–", "-").replace("—", "-")


def _days(word: str) -> str:
    """The same of all days from one to another: "24.12.-6.1."."""
    first, dash, last = word.partition("-")
    return f"{_day(first)}..{_day(last)}" if dash and "." in first else _day(word)


def _day(word: str) -> str:
    """A day as people write it, "24.12." or "5.4.2027", as plans have it; any other as it is."""
    found = _DOTTED.fullmatch(word)
    if found is None:
        return word
    return (f"{found[3]}-" if found[3] else "") + f"{int(found[2]):02}-{int(found[1]):02}"


def members() -> list[Document]:
    """Who rings, as typed."""
    lists = [request.form.getlist(name) for name in ("target", "seconds", "weight", "most")]
    return [
        {
            "target": name,
            "seconds": _whole(seconds),
            "weight": _whole(weight or "1"),
            "most": _whole(most or "0"),
        }
        for name, seconds, weight, most in zip(*lists, strict=False)
    ]


def arranged(members: list[Document]) -> list[Document]:
    """After a button: up-2, down-1, remove-3, add."""
    verb, _, number = text("do").partition("-")
    place = row_id(number) - 1
    if verb == "add" and text("new_target"):
        new = {"target": text("new_target"), "seconds": _whole(text("new_seconds")), "weight": 1, "most": 0}
        return [*members, new]
    if 0 <= place < len(members) and verb in ARRANGES:
        moved = members.pop(place)
        if verb != "remove":
            members.insert(max(0, place + (-1 if verb == "up" else 1)), moved)
    return members


def _whole(typed: str) -> int | str:
    """A whole number; anything else is refused with the plan."""
    typed = typed.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else typed
