"""CallRail: the call log saved as CSV, and what its API v3 answers (`/a/ACCOUNT/calls.json`), as JSON.

The names of the API are documented; titles of the CSV differ from account to account, as columns are chosen
there. https://apidocs.callrail.com/#calls
"""

from __future__ import annotations

from tracker.policy.moved import Vendor

_STATUS = {
    "answered": "answered", "answered call": "answered", "outbound call": "",
    "missed": "missed", "missed call": "missed", "abandoned": "gave_up", "abandoned call": "gave_up",
    "voicemail": "missed", "voicemail call": "missed", "in progress": "unfinished",
}  # fmt: skip


def _plain(row: dict[str, str]) -> dict[str, str]:
    status = row.pop("status", "").strip().casefold()
    answered, voicemail = (row.pop(name, "").casefold() for name in ("answered", "voicemail"))
    row["outcome"] = _STATUS.get(status, row.get("outcome", ""))
    if status not in _STATUS and answered:
        row["outcome"] = "answered" if answered in {"true", "yes", "1"} else "missed"
    if voicemail in {"true", "yes", "1"}:  # its machine answered, and no person
        row["outcome"] = "missed"
    # It counts from the first ring; what was talked is as long as what was recorded, where that is told.
    whole, recorded = row.pop("duration", ""), row.pop("recorded", "")
    if row["outcome"] in {"answered", ""}:
        row["talk_seconds"] = recorded or whole
        row["outcome"] = row["outcome"] or ("answered" if row["talk_seconds"] not in {"", "0"} else "missed")
    if row["outcome"] == "answered" and recorded.isdecimal() and whole.isdecimal():
        row["ring_seconds"] = str(max(0, int(whole) - int(recorded)))
    elif row["outcome"] not in {"answered", "unfinished"}:
        row["ring_seconds"] = whole
    lead = row.pop("lead", "").replace("_", " ")
    if lead and lead.casefold() not in {"null", "none", "not scored"}:
        row["tags"] = ", ".join(filter(None, (row.get("tags", ""), lead)))
    return row


VENDOR = Vendor(
    "callrail",
    "CallRail",
    {
        "reference": ("id", "call id", "resource id"),
        "did": ("tracking phone number", "tracking number"),
        "caller": ("customer phone number", "phone number", "caller number", "customer number"),
        "caller_name": ("customer name", "name", "caller name", "formatted customer name"),
        "started_at": ("start time", "date", "call time", "created at"),
        "duration": ("duration", "duration (seconds)", "call duration", "duration in seconds"),
        "recorded": ("recording duration",),
        "status": ("call status", "status"),
        "answered": ("answered",),
        "voicemail": ("voicemail",),
        "direction": ("direction", "call direction"),
        "employee": ("agent email", "agent name", "agent"),
        "recording_url": ("recording", "recording url", "recording player"),
        "number_name": ("source name", "number name", "tracker name"),
        "source": ("utm source", "source"),
        "medium": ("utm medium", "medium"),
        "campaign": ("utm campaign", "campaign"),
        "keyword": ("utm term", "keywords", "keyword"),
        "content": ("utm content",),
        "landing_url": ("landing page url", "landing page", "landing url"),
        "referrer": ("referring url", "referrer", "referrer domain"),
        "gclid": ("gclid",),
        "fbclid": ("fbclid",),
        "msclkid": ("msclkid",),
        "visitor": ("person id",),
        "tags": ("tags", "tag list"),
        "note": ("note", "notes"),
        "value": ("value", "lead value"),
        "lead": ("lead status", "qualified", "lead qualification"),
    },
    _plain,
    hosts=("callrail.com",),
)
