"""Google's Data Manager API with its OAuth: a request whole or not at all, a token that can expire.

What became of a request is said later, in counts: PROCESSING once, then by what is wrong with its clicks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from support.standin import Asked, Said
from support.standins.double import Double

INGEST = "/v1/events:ingest"
STATUS = "/v1/requestStatus:retrieve"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
SHA256 = re.compile(r"[0-9a-f]{64}")


def refused(*fields: tuple[str, str]) -> Said:
    """As google.rpc.Status says that a request is malformed."""
    wrong = [{"field": field, "description": why, "reason": "INVALID_ARGUMENT"} for field, why in fields]
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "INVALID_ARGUMENT",
            "domain": "datamanager.googleapis.com",
        },
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": wrong},
    ]
    error = {"code": 400, "status": "INVALID_ARGUMENT", "message": "There was a problem", "details": details}
    return Said(400, {"error": error}, to=INGEST)


def status(word: str, wrong: Counter[str] | None = None, ingested: int = 0) -> Said:
    """What a request's status is, of its one destination."""
    counts = [
        {"recordCount": str(count), "reason": f"PROCESSING_ERROR_REASON_{reason}"}
        for reason, count in (wrong or Counter()).items()
        if count
    ]
    told = {
        "requestStatus": word,
        "errorInfo": {"errorCounts": counts},
        "eventsIngestionStatus": {"recordCount": str(ingested)},
    }
    return Said(200, {"requestStatusPerDestination": [told]}, to=STATUS)


class DataManager(Double):
    refusal = refused(("events[0].ad_identifiers.gclid", "The click id is malformed"))
    sees_duplicates = True
    needs_consent = "ads"
    closes_days = 90

    def __init__(self) -> None:
        super().__init__()
        self.tokens = 0
        self.expired: set[str] = set()
        self.seen: list[dict[str, Any]] = []
        self.wrong: set[str] = set()  # transaction ids that are refused
        self.faults: dict[str, str] = {}  # calls that are refused later, and why
        self.requests: list[list[str]] = []  # the calls of each
        self.repeated: list[set[str]] = []  # and which of them had been counted before
        self.looked: set[str] = set()  # requests that were asked for before

    def values(self, url: str) -> dict[str, str]:
        return {
            "customer_id": "123-456-7890", "conversion_action": "7012345678",
            "client_id": "4711.apps.example", "client_secret": "GOCSPX-s3cr3t",
            "refresh_token": "1//0g-r3fr3sh", "enhanced": "yes", "address": url,
            "token_address": f"{url}/token",
        }  # fmt: skip

    def answer(self, asked: Asked) -> Said:
        if asked.path == "/token":
            return self._token(asked.form())
        if asked.path not in {INGEST, STATUS}:
            return Said(404)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token != f"at-{self.tokens}" or token in self.expired:
            return Said(401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}})
        return self._status(asked.query["requestId"]) if asked.path == STATUS else self._ingest(asked.json())

    def _token(self, form: dict[str, str]) -> Said:
        if (form.get("client_secret"), form.get("refresh_token")) != ("GOCSPX-s3cr3t", "1//0g-r3fr3sh"):
            return Said(400, {"error": "invalid_grant", "error_description": "Token has been revoked"})
        self.tokens += 1
        return Said(200, {"access_token": f"at-{self.tokens}", "expires_in": 3599, "token_type": "Bearer"})

    def _ingest(self, told: dict[str, Any]) -> Said:
        wrong = [*problems(told)]
        for at, each in enumerate(told["events"]):
            if each["transactionId"] in self.wrong:
                wrong.append((f"events[{at}].transaction_id", "It is not taken"))
        if wrong:
            return refused(*wrong)
        if not told["validateOnly"]:
            keys = [each["transactionId"].removeprefix("call-") for each in told["events"]]
            self.requests.append(keys)
            self.repeated.append({key for key in keys if key in self.taken and key not in self.faults})
            for key, each in zip(keys, told["events"], strict=True):
                if key not in self.taken:
                    self.taken.append(key)
                    self.seen.append(each)
        return Said(200, {"requestId": f"r-{len(self.requests)}"})

    def _status(self, request: str) -> Said:
        number = int(request.removeprefix("r-")) - 1
        if not 0 <= number < len(self.requests):
            return Said(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT"}})
        if request not in self.looked:
            self.looked.add(request)
            return status("PROCESSING")
        keys = self.requests[number]
        wrong = Counter(self.faults[key] for key in keys if key in self.faults)
        wrong |= Counter(DUPLICATE_TRANSACTION_ID=len(self.repeated[number]))
        if not +wrong:
            return status("SUCCESS", ingested=len(keys))
        return status("FAILED" if wrong.total() == len(keys) else "PARTIAL_SUCCESS", wrong)


def problems(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    references = {each["reference"] for each in told["destinations"]}
    for each in told["destinations"]:
        if not re.fullmatch(r"\d{10}", each["operatingAccount"]["accountId"]):
            yield "destinations[0].operating_account.account_id", "Ten digits"
    if len(told["events"]) > 2000:
        yield "events", "TOO_MANY_EVENTS"
    for at, each in enumerate(told["events"]):
        if not set(each["destinationReferences"]) <= references:
            yield f"events[{at}].destination_references", "Unknown"
        if "userData" in each and told.get("encoding") != "HEX":
            yield "encoding", "REQUIRED_FIELD_MISSING"
        yield from ((f"events[{at}]{field}", why) for field, why in wrong_with(each))


def wrong_with(each: dict[str, Any]) -> Iterator[tuple[str, str]]:
    clicks = each.get("adIdentifiers") or {}
    phones = [it["phoneNumber"] for it in each.get("userData", {}).get("userIdentifiers", ())]
    if each["transactionId"].isdecimal():
        yield "", ""
    if not STAMP.fullmatch(each["eventTimestamp"]):
        yield ".event_timestamp", "EVENT_TIME_INVALID"
    if len(clicks) > 1 or not (clicks or phones):
        yield "", "NO_IDENTIFIERS_PROVIDED"
    if not all(SHA256.fullmatch(phone) for phone in phones):
        yield ".user_data", "INVALID_SHA256_FORMAT"
    if ("conversionValue" in each) != ("currency" in each):
        yield ".currency", "INVALID_CURRENCY_CODE"
