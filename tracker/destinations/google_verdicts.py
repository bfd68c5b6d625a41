"""What Google says, half an hour or more after a request, of the conversions in it.

Wire format: https://developers.google.com/data-manager/api/reference/rest/v1/requestStatus/retrieve. It
counts the refused ones by reason and names none. So a request of which some were refused is sent again in
halves, until it is known which: what Google has counted it counts no second time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from tracker.destinations.google_api import ask, receipt_of
from tracker.destinations.kind import Follow, Line, Parcel, Verdict
from tracker.outside import Reply, Trouble

FIRST_LOOK = timedelta(minutes=30)  # unconfirmed: sooner it is said to be under way still
NEXT_LOOK = timedelta(hours=1)
PREFIX = "PROCESSING_ERROR_REASON_"
COUNTED = "Google has counted it"
KNOWN = "DUPLICATE_TRANSACTION_ID"  # we sent it again ourselves, and it counts
_CONSENT = "the visitor's consent to advertising is missing, or does not allow it"
_CLICK = "the click id is not one of Google's"
REASONS = {
    "INVALID_GCLID": _CLICK, "INVALID_GBRAID": _CLICK, "INVALID_WBRAID": _CLICK,
    "CLICK_NOT_FOUND": "Google knows no such click",
    "INVALID_CLICK": "Google does not count that click",
    "DUPLICATE_GCLID": "that click has counted already, and the conversion action counts one for each",
    "EVENT_TOO_OLD": "the click is older than the conversion action's window",
    "CONVERSION_PRECEDES_CLICK": "the call began before the click",
    "TOO_RECENT_CLICK": "the click was too young; send it again",
    "DENIED_CONSENT": _CONSENT, "NO_CONSENT": _CONSENT, "UNKNOWN_CONSENT": _CONSENT,
    "OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER": "the click is of another account than customer_id",
}  # fmt: skip

SOME = "Google refused some of the conversions sent with it; sent again, to learn which"

Ingest = Callable[[Line, Sequence[Parcel]], Reply]


def follower(ingest: Ingest) -> Follow:
    """Asks for a verdict on each parcel of a request; `ingest` sends some of them again."""

    def follow(line: Line, receipt: str, parcels: Sequence[Parcel]) -> list[Verdict]:
        reply = ask(line, "GET", f"requestStatus:retrieve?{urlencode({'requestId': receipt})}")
        if reply.status in {400, 404}:  # it has forgotten the request, and refused nothing
            return [Verdict(f"{reply.status} · Google does not say what became of it")] * len(parcels)
        if not reply.ok:
            raise Trouble(reply.shown())
        status, wrong = read_status(reply.json())
        if status == "PROCESSING":
            return [Verdict(after=NEXT_LOOK)] * len(parcels)
        if said := judge(status, wrong, len(parcels)):
            return [said] * len(parcels)
        return _halves(line, parcels, ingest)

    return follow


def read_status(told: Any) -> tuple[str, dict[str, int]]:
    """How far Google is with our only destination, and how many it refused, by reason."""
    rows = told.get("requestStatusPerDestination") if isinstance(told, dict) else None
    it = rows[0] if rows else {}
    counts = (it.get("errorInfo") or {}).get("errorCounts") or ()
    wrong = {
        str(each.get("reason")).removeprefix(PREFIX): int(str(each.get("recordCount") or 0))
        for each in counts
    }
    status = str(it.get("requestStatus") or "PROCESSING").rpartition("REQUEST_STATUS_")[2]
    return status if status in {"SUCCESS", "PARTIAL_SUCCESS", "FAILED"} else "PROCESSING", wrong


def judge(status: str, wrong: Mapping[str, int], size: int) -> Verdict | None:
    """The one verdict on all of them; None: only some of them were refused, or not all for one reason."""
    if status == "SUCCESS":
        return Verdict(COUNTED)
    if not wrong and (size == 1 or status == "FAILED"):
        refused = status == "FAILED"
        return Verdict("Google refused it and gives no reason" if refused else COUNTED, refused=refused)
    faults = {reason: count for reason, count in wrong.items() if reason != KNOWN}
    if wrong and not faults:
        return Verdict(COUNTED)
    if size == 1 or (len(faults) == 1 and faults.keys() == wrong.keys() and sum(faults.values()) >= size):
        return Verdict("; ".join(map(in_words, faults)), refused=True)
    return None


def in_words(reason: str) -> str:
    """A reason as Google calls it, and what that means."""
    return f"{reason} · {REASONS[reason]}" if reason in REASONS else reason


def _halves(line: Line, parcels: Sequence[Parcel], ingest: Ingest) -> list[Verdict]:
    """Sent again in two requests, each with a verdict of its own later on. Raises Stop, Trouble."""
    middle = len(parcels) // 2
    verdicts: list[Verdict] = []
    for half in (parcels[:middle], parcels[middle:]):
        reply = ingest(line, half)
        receipt = receipt_of(reply) if reply.ok else None
        if receipt is None:  # what the first request counted is of both halves: ask for that one again
            raise Trouble(reply.shown())
        verdicts += [Verdict(SOME, after=FIRST_LOOK, receipt=receipt)] * len(half)
    return verdicts
