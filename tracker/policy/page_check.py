"""What the script did to a page: every place where a number stood before, and what stands there after.

Works on what two looks at the page found (commands/page_places.js): one with our script held back, one with
it. It compares digits, and knows nothing of how the script works.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import phonenumbers

from tracker.errors import Rejected

_BETWEEN = r"[\s().\-/\u00a0\u00ad\u2007-\u2015\u2060\u202f\u2212]{0,4}"
_LEFT_ALONE = {
    "no-swap": "marked no-swap",
    "json-ld": "for search engines, which are to know the company's own number",
    "head": "in the head of the page, which nobody reads",
    "code": "in code",
    "input": "in a form's field",
    "editable": "in a text that the visitor may edit",
}
_MISSED = {
    "image": "belongs to an image: write the number as text beside it",
    "css": "written by a style sheet: write it into the page",
    "shadow": "in a shadow root: call Leaseline.swap(root) when it is there",
    "split": "split over elements: put data-leaseline-number on the outer one",
    "attribute": "in an attribute, of which only those of a phone link are swapped: set it from"
    " Leaseline.numbers()",
}
_TOLD = {"alt", "aria-label", "href", "onclick", "placeholder", "title"}  # attributes that reach people
_MESSENGER = re.compile(
    r"(whatsapp|viber|sms|skype|facetime|https?://(wa\.me|api\.whatsapp\.com)/)", re.IGNORECASE
)


class Verdict(enum.StrEnum):
    SWAPPED = "swapped"
    MISSED = "missed"  # should have been
    LEFT = "left"  # alone, on purpose
    GONE = "gone"  # the page did not show it a second time
    STRANGE = "strange"  # looks like a telephone number, but the site does not name it


@dataclass(frozen=True)
class Place:
    """A place of a page with the text that stands there; `key` finds it again at the second look."""

    key: str
    kind: str  # text, split, link, attribute, value, image, css
    attribute: str
    where: str  # for people
    context: str  # no-swap, json-ld, head, code, input, editable, shadow, frame or ""
    text: str


@dataclass(frozen=True)
class Wanted:
    """A number that is to be swapped, as the digits of its spellings and as letters."""

    e164: str
    variants: tuple[str, ...]
    alias: str | None = None


@dataclass(frozen=True)
class Given:
    """What the visit API answered for one number on the page; with a code it is only decorated."""

    e164: str
    code: str | None = None


@dataclass(frozen=True)
class Answer:
    """What was given for each number on the page, or the one reason why nothing could be swapped at all."""

    given: Mapping[str, Given]
    reason: str | None = None


@dataclass(frozen=True)
class Finding:
    """A number at a place, and what became of it."""

    number: str
    verdict: Verdict
    where: str
    before: str
    after: str | None
    why: str | None = None


def read_address(text: str) -> str:
    """The address of a page; https where it names no scheme. Raises Rejected check.address."""
    address = text.strip() if "://" in text else f"https://{text.strip()}"
    try:
        parts = urlsplit(address)
        if parts.scheme in {"http", "https"} and parts.hostname and not re.search(r"\s", address):
            return address
    except ValueError:
        pass
    raise Rejected(
        "check.address",
        "%(text)r is no address of a page",
        "Give one such as https://shop.example/",
        text=text[:80],
    )


def find(
    before: Sequence[Place], after: Sequence[Place], wanted: Sequence[Wanted], answer: Answer, region: str
) -> list[Finding]:
    """Every wanted number at every place of either look, then the numbers that nobody wanted.

    `region` says how national numbers on the page are read.
    """
    looks = ({place.key: place for place in before}, {place.key: place for place in after})
    found = []
    for key in dict.fromkeys([*looks[0], *looks[1]]):
        first, second = looks[0].get(key), looks[1].get(key)
        stood = first if first and any(stands_in(first.text, each) for each in wanted) else second
        if stood is not None:
            standing = [each for each in wanted if stands_in(stood.text, each)]
            found += [_judged(each, stood, second, answer) for each in standing]
    return found + _strangers(before, wanted, region)


def stands_in(text: str, wanted: Wanted) -> bool:
    """Whether the number stands in the text in any of its spellings, and is not a part of a longer one."""
    plain = text.replace("(0)", "")
    if wanted.alias and re.search(rf"(?<!\w){re.escape(wanted.alias)}(?!\w)", text, re.IGNORECASE):
        return True
    for place, digits in enumerate(wanted.variants):
        for match in re.finditer(rf"(?<!\d){_BETWEEN.join(digits)}(?!\d)", plain):
            begun = plain[: match.start()]
            if place == 0 or not re.search(r"\+[\s().\-\d]*$", begun):
                return True
    return False


def missing(wanted: Iterable[Wanted], findings: Iterable[Finding]) -> list[str]:
    """The numbers that stand nowhere on the page."""
    there = {finding.number for finding in findings}
    return [each.e164 for each in wanted if each.e164 not in there]


def _judged(wanted: Wanted, stood: Place, now: Place | None, answer: Answer) -> Finding:
    verdict, why = _verdict(wanted, stood, now, answer)
    return Finding(
        number=wanted.e164,
        verdict=verdict,
        where=" ".join(
            filter(
                None, (stood.kind, stood.attribute if stood.kind == "attribute" else "", "in", stood.where)
            )
        ),
        before=stood.text,
        after=now.text if now else None,
        why=why,
    )


def _verdict(wanted: Wanted, stood: Place, now: Place | None, answer: Answer) -> tuple[Verdict, str | None]:
    if now is None:
        return Verdict.GONE, "not there when the page was opened again"
    given = answer.given.get(wanted.e164)
    if given and given.code and given.code in re.split(r"\D+", now.text):
        return Verdict.SWAPPED, f"with the visitor's code {given.code}"
    if not stands_in(now.text, wanted):
        return _replaced(given, now)
    if left := _left_alone(stood):
        return Verdict.LEFT, left
    return Verdict.MISSED, _reason(stood, given, answer)


def _left_alone(stood: Place) -> str | None:
    """Why this place is none that should be swapped."""
    if stood.kind == "attribute" and _MESSENGER.match(stood.text):
        return "a messenger's link, which reaches nobody at another number"
    if stood.kind == "attribute" and stood.attribute not in _TOLD:
        return "in an attribute that nobody reads; scripts of the page may ask Leaseline.numbers()"
    return _LEFT_ALONE.get(stood.context)


def _replaced(given: Given | None, now: Place) -> tuple[Verdict, str | None]:
    """Something else stands there: it had better be the number that was given."""
    if given is not None and _digits(given.e164)[-7:] in _digits(now.text):
        return Verdict.SWAPPED, None
    return (
        Verdict.MISSED,
        f"another text stands there now, not {given.e164 if given else 'a number given to us'}",
    )


def _reason(stood: Place, given: Given | None, answer: Answer) -> str:
    if answer.reason is not None:
        return answer.reason
    if given is None:
        return "not swapped for visitors from this country"
    if stood.context == "frame":
        return "in a frame of another page: put the script there too"
    return _MISSED.get(stood.context) or _MISSED.get(stood.kind) or "the script did not see it there"


def _strangers(places: Sequence[Place], wanted: Sequence[Wanted], region: str) -> list[Finding]:
    """Numbers that people see on the page, and that the site does not name."""
    found: dict[str, Finding] = {}
    for place in places:
        if place.kind not in {"text", "split", "link"} or place.context in _LEFT_ALONE:
            continue
        for e164 in _numbers_in(place.text, region):
            if e164 not in {each.e164 for each in wanted} and e164 not in found:
                why = "not a number of the site: add it, or leave it"
                found[e164] = Finding(
                    e164, Verdict.STRANGE, f"{place.kind} in {place.where}", place.text, None, why
                )
    return list(found.values())


def _numbers_in(text: str, region: str) -> list[str]:
    matches = phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.VALID)
    return [
        phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164) for match in matches
    ]


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
