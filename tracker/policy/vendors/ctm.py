"""CallTrackingMetrics: the call log saved as CSV, and what its API answers (`/accounts/ID/calls.json`).

`called_at` is like "2026-11-05 11:48 PM -05:00"; `unix_time` is the same for machines.
"""

from __future__ import annotations

from tracker.policy.moved import Vendor

_STATUS = {
    "answered": "answered", "completed": "answered", "in progress": "unfinished", "in-progress": "unfinished",
    "no answer": "missed", "no-answer": "missed", "unanswered": "missed", "missed": "missed",
    "voicemail": "missed", "hangup": "gave_up", "hang up": "gave_up", "canceled": "gave_up",
    "cancelled": "gave_up", "abandoned": "gave_up", "busy": "busy", "failed": "failed", "blocked": "refused",
}  # fmt: skip
# Its log has forms, chats and text messages as well.
_NO_CALLS = {
    "form",
    "chat",
    "msg inbound",
    "msg outbound",
    "msg_inbound",
    "msg_outbound",
    "sms",
    "text",
    "video",
}


def _plain(row: dict[str, str]) -> dict[str, str]:
    way = row.get("direction", "").strip().casefold()
    if way in _NO_CALLS:
        row["outcome"] = "no call"
        return row
    status = row.pop("status", "").strip().casefold()
    row["started_at"] = row.pop("unix", "") or row.get("started_at", "")
    talk, whole = row.get("talk_seconds", ""), row.pop("duration", "")
    row["outcome"] = _STATUS.get(
        status, "answered" if talk not in {"", "0", "0:00", "00:00:00"} else "missed"
    )
    if row["outcome"] == "answered":
        row["talk_seconds"] = talk or whole
    elif not row.get("ring_seconds"):
        row["ring_seconds"] = whole
    return row


VENDOR = Vendor(
    "ctm",
    "CallTrackingMetrics",
    {
        "reference": ("id", "call id", "sid"),
        "did": ("tracking number", "tracking number bare", "tracking number format"),
        "caller": ("caller number complete", "caller number", "contact number", "caller number format",
                   "caller number bare", "phone number"),
        "caller_name": ("name", "caller name", "cnam", "contact name"),
        "started_at": ("called at", "date", "call date", "timestamp", "start time"),
        "unix": ("unix time",),
        "ring_seconds": ("ring time", "ring time (seconds)"),
        "talk_seconds": ("talk time", "talk time (seconds)"),
        "duration": ("duration", "duration (seconds)", "call duration"),
        "status": ("dial status", "call status", "status"),
        "direction": ("direction", "activity type"),
        "employee": ("agent.name", "agent name", "agent", "agent.email"),
        "recording_url": ("audio", "recording", "recording url", "audio url"),
        "number_name": ("tracking label", "tracking number name", "number name"),
        "source": ("utm source", "source", "tracking source"),
        "medium": ("utm medium", "medium", "paid.medium"),
        "campaign": ("utm campaign", "campaign"),
        "keyword": ("utm term", "keyword", "search", "search query"),
        "content": ("utm content", "ad content"),
        "landing_url": ("location", "landing page", "landing url"),
        "referrer": ("referrer", "referring url"),
        "gclid": ("gclid",),
        "fbclid": ("fbclid",),
        "msclkid": ("msclkid",),
        "visitor": ("visitor sid",),
        "tags": ("tag list", "tags"),
        "note": ("notes", "note", "summary"),
        "value": ("sale.value", "sale value", "value", "revenue"),
    },
    _plain,
    hosts=("calltrackingmetrics.com",),
)  # fmt: skip
