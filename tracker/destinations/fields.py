"""What is filled in for a destination: read by its kind's fields, refused with what would be accepted."""

from __future__ import annotations

import base64
import re
import secrets as random_bytes
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from tracker.destinations import KINDS, Field, FieldKind, Kind, oauth
from tracker.errors import Rejected
from tracker.policy.delivering import Event
from tracker.policy.telling import EMAIL, SECRET, is_secret, url_problem

VALUE_LONGEST = 2000
HIDDEN = "•••"
SECRET_BEFORE = "secret_before"  # noqa: S105  (a name: it signs beside the one that took its place)
_PORTS = {"http": 80, "https": 443}

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


def read_values_anew(
    kind: Kind, values: Mapping[str, str], options: Mapping[str, str], secrets: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """As `read_values`, of a destination that there is: no stored secret follows it to another address.

    Else whoever may change a destination could have its secrets sent to a server of their own. What was
    granted by OAuth is dropped; the rest is typed anew or taken away. Raises Rejected destination.retype too.
    """
    now, kept = read_values(kind, values, options, secrets)
    if _origins(kind, now) == _origins(kind, options):
        return now, kept
    staying = {each.name for each in kind.fields if each.signs} | {SECRET_BEFORE} | values.keys()
    granted = set(oauth.KEPT) if kind.oauth else set()
    typed = [each.name for each in kind.fields if each.name not in staying | granted]
    names = [name for name in typed if name in secrets]
    if names:
        raise Rejected(
            "destination.retype",
            "The stored %(names)s would be sent to another address",
            "Give %(names)s anew together with the address",
            names=names,
            name=names[0],
        )
    return now, {name: text for name, text in kept.items() if name in staying}


def _origins(kind: Kind, options: Mapping[str, str]) -> list[tuple[str, str | None, int | None]]:
    """Scheme, host and port of every address that it is asked at."""
    urls = (options.get(it.name) or it.usual for it in kind.fields if it.kind is FieldKind.URL)
    parts = [urlsplit(url) for url in urls]
    return [(it.scheme, it.hostname, it.port or _PORTS.get(it.scheme)) for it in parts]


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
