"""What is filled in for a destination: read by its kind's fields, refused with what would be accepted."""

from __future__ import annotations

import base64
import re
import secrets as random_bytes
from collections.abc import Callable, Iterable, Mapping

from tracker.destinations import KINDS, Field, FieldKind, Kind
from tracker.errors import Rejected
from tracker.policy.delivering import Event
from tracker.policy.telling import EMAIL, SECRET, is_secret, url_problem

VALUE_LONGEST = 2000
HIDDEN = "•••"

_FORMS: Mapping[FieldKind, Callable[[str], bool]] = {
    FieldKind.URL: lambda text: url_problem(text) is None,
    FieldKind.YES_NO: lambda text: text in {"yes", "no"},
    FieldKind.EMAIL: lambda text: EMAIL.fullmatch(text) is not None,
    FieldKind.MONEY: lambda text: re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", text) is not None,
}


def kind_of(word: str) -> Kind:
    """Raises Rejected destination.kind."""
    if word in KINDS:
        return KINDS[word]
    raise Rejected(
        "destination.kind",
        "There is no kind of destination %(word)r",
        "Choose one of %(words)s",
        word=word[:20],
        words=sorted(KINDS),
    )


def read_values(
    kind: Kind, values: Mapping[str, str], options: Mapping[str, str], secrets: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Options and secrets after `values` were filled in over what was there; an empty one is taken away."""
    known = {each.name: each for each in kind.fields}
    for name in values:
        if name not in known:
            raise Rejected(
                "destination.field",
                "%(title)s has no field %(name)r",
                "It has %(names)s",
                title=kind.title,
                name=name[:40],
                names=sorted(known),
            )
    now = {**options, **secrets}
    for name, text in values.items():
        now[name] = read_value(known[name], text)
        if not now[name]:
            del now[name]
    if kind.word == "webhook" and not now.get("secret"):
        now["secret"] = SECRET + base64.b64encode(random_bytes.token_bytes(32)).decode()
    for each in kind.fields:
        if each.required and not now.get(each.name):
            raise Rejected(
                "destination.missing",
                "%(title)s needs %(name)s",
                each.hint,
                title=kind.title,
                name=each.name,
            )
    if kind.check is not None:
        kind.check(now)
    hidden = {each.name for each in kind.fields if each.kind is FieldKind.SECRET} | secrets.keys()
    return (
        {name: text for name, text in now.items() if name not in hidden},
        {name: text for name, text in now.items() if name in hidden},
    )


def read_value(it: Field, text: str) -> str:
    """What was typed into a field, checked. Raises Rejected destination.malformed."""
    text = text.strip()
    if text and not _fits(it, text):
        raise Rejected(
            "destination.malformed",
            "%(name)s cannot be %(text)r",
            it.hint,
            name=it.name,
            text=HIDDEN if it.kind is FieldKind.SECRET else text[:60],
        )
    return text


def read_events(kind: Kind, events: Iterable[str]) -> list[str]:
    """Raises Rejected destination.event."""
    wanted = []
    for word in events:
        if word not in kind.timings:
            raise Rejected(
                "destination.event",
                "%(title)s is not told of %(word)r",
                "Choose among %(words)s",
                title=kind.title,
                word=word[:40],
                words=[each.value for each in kind.timings],
            )
        wanted.append(Event(word).value)
    return sorted(set(wanted))


def _fits(it: Field, text: str) -> bool:
    plain = len(text) <= VALUE_LONGEST and text.isprintable()
    chosen = not it.choices or text in it.choices
    formed = is_secret(text) if it.form == SECRET else not it.form or re.fullmatch(it.form, text)
    return plain and chosen and bool(formed) and _FORMS.get(it.kind, bool)(text)
