"""What a page's script reported, bounded: anybody can send anything here.

Text keeps its hostile letters (whoever shows it escapes it), but not what no database takes or what lies to
its reader (tracker.policy.addresses), nor more than its bound. Secrets in addresses are never stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from tracker.errors import Rejected
from tracker.policy.addresses import clean
from tracker.policy.visits import Consent

LONGEST_URL, LONGEST_TITLE, LONGEST_LANGUAGE = 2048, 300, 20
MOST_IDS, LONGEST_ID_NAME, LONGEST_ID = 20, 40, 200
OURS = "_ll"  # our own cookie: the script reads it with the others, and says it as `visitor`
MOST_DETAILS, LONGEST_DETAIL_NAME, LONGEST_DETAILS = 10, 40, 1024
EVENT_KINDS = ("phone_click", "form", "custom")

# Parameters whose values are secrets or name a person, and our own visitor key in links between sites.
_SECRET = re.compile(
    r"pass(wor[dt]|wd|phrase|code)?|pwd|secret|.*token|.*(session|sess)_?id|sid|auth|authorization|code|otp|api_?key"
    r"|signature|e?[-_]?mail(_?address)?|user_?name|login|phone|tel|_ll",
    re.IGNORECASE,
)
# Bounded, so that a hostile address costs no more than a long one.
_EMAIL = re.compile(r"[^\s/?&=#@%]{1,64}(?:@|%40)[^\s/?&=#@%]{1,100}\.[a-z]{2,}", re.IGNORECASE)
_USER = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/?#]*@", re.IGNORECASE)
HIDDEN = "hidden"
# As our script says it, and as Consent Mode does; what is neither is no word at all.
_CONSENT_WORDS = {"true": True, "false": False, "granted": True, "denied": False}
_CONSENTS = ("storage", "ads", "analytics")


@dataclass(frozen=True)
class Page:
    """A page as the script saw it. `url` and `referrer` are bounded, and not yet rid of secrets."""

    url: str
    referrer: str | None
    title: str | None


@dataclass(frozen=True)
class Opening:
    """Body of `POST /api/v1/visits`: a page, and who says so."""

    page: Page
    visitor: str | None
    token: str | None
    language: str | None
    automated: bool
    consent: Consent
    ids: Mapping[str, str]


@dataclass(frozen=True)
class Happening:
    """Body of `…/events`."""

    kind: str
    detail: Mapping[str, str]


def read_opening(body: Mapping[str, Any]) -> Opening:
    """The body of `POST /api/v1/visits`. Raises Rejected visit.malformed."""
    return Opening(
        page=read_page(body),
        visitor=_text(body, "visitor", 40),
        token=_text(body, "visit", 120),
        language=_text(body, "language", LONGEST_LANGUAGE),
        automated=_flag(body, "automated") is True,
        consent=_consent(body),
        ids=_ids(body),
    )


def read_page(body: Mapping[str, Any]) -> Page:
    """The page in a body. Raises Rejected visit.malformed."""
    url = _text(body, "url", LONGEST_URL)
    if not url:
        raise _malformed("url is missing", "Give the page's address")
    return Page(url, _text(body, "referrer", LONGEST_URL), _text(body, "title", LONGEST_TITLE))


def read_happening(body: Mapping[str, Any]) -> Happening:
    """The body of `…/events`. Raises Rejected visit.malformed."""
    kind, detail = body.get("kind"), body.get("detail") or {}
    if kind not in EVENT_KINDS:
        raise _malformed("kind is none we know", f"Give one of {', '.join(EVENT_KINDS)}")
    if not isinstance(detail, dict) or not all(isinstance(value, str) for value in detail.values()):
        raise _malformed("detail is no object of texts", 'Give it like {"name": "brochure"}')
    size = sum(len(text.encode("utf-8", "replace")) for pair in detail.items() for text in pair)
    if len(detail) > MOST_DETAILS or size > LONGEST_DETAILS:
        raise _malformed(
            "detail is too large", f"Give {MOST_DETAILS} entries and {LONGEST_DETAILS} bytes at most"
        )
    return Happening(
        str(kind),
        {clean(name, LONGEST_DETAIL_NAME): clean(text, LONGEST_DETAILS) for name, text in detail.items()},
    )


def without_secrets(url: str) -> str:
    """The address without a log-in before its host, and with the values of secret parameters hidden.

    Passwords, tokens, e-mail addresses and the like, in the query and in the fragment; a bare e-mail
    address anywhere. What is left is letter for letter as it was.
    """
    url = _USER.sub(r"\1", url)
    head, mark, fragment = url.partition("#")
    path, question, query = head.partition("?")
    parts = [path, question, _hide(query), mark, _hide(fragment)]
    return _EMAIL.sub(HIDDEN, "".join(parts))[:LONGEST_URL]


def _hide(query: str) -> str:
    return "&".join(_hidden(pair) for pair in query.split("&"))


def _hidden(pair: str) -> str:
    name, equals, value = pair.partition("=")
    plain = unquote_plus(name).rpartition("?")[
        2
    ]  # a fragment may be a route with a query of its own: #/x?token=…
    return f"{name}={HIDDEN}" if equals and value and _SECRET.fullmatch(plain) else pair


def _text(body: Mapping[str, Any], name: str, longest: int) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _malformed(f"{name} is no text", "Give it as a JSON string, or leave it out")
    return clean(value, longest) or None


def _flag(body: Mapping[str, Any], name: str) -> bool | None:
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise _malformed(f"{name} is neither true nor false", "Give true or false, or leave it out")


def _consent(body: Mapping[str, Any]) -> Consent:
    said = body.get("consent") or {}
    if not isinstance(said, dict):
        raise _malformed("consent is no object", 'Give it like {"storage": true, "ads": false}')
    return Consent(*(_CONSENT_WORDS.get(str(said.get(name)).lower()) for name in _CONSENTS))


def _ids(body: Mapping[str, Any]) -> dict[str, str]:
    """Identifiers of other analytics; those that do not fit are left out, for no page may break by them."""
    given = body.get("ids")
    if not isinstance(given, dict):
        return {}
    kept = [(clean(name), clean(value)) for name, value in given.items() if _is_id(name, value)]
    return dict(kept[:MOST_IDS])


def _is_id(name: str, value: object) -> bool:
    if name == OURS or not isinstance(value, str):
        return False
    return 0 < len(name) <= LONGEST_ID_NAME and 0 < len(value) <= LONGEST_ID


def _malformed(what: str, fix: str) -> Rejected:
    return Rejected("visit.malformed", f"The request's {what}", fix)
