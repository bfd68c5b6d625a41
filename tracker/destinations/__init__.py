"""The kinds of destinations, one file each: what it needs, when it may be told what, how it is asked."""

from tracker.destinations import (
    callrail,
    email,
    ga4,
    google_ads,
    matomo,
    meta,
    metrica,
    slack,
    telegram,
    webhook,
)
from tracker.destinations.kind import Field, FieldKind, Kind, Line, Parcel

_EVERY = (
    callrail.KIND,
    email.KIND,
    ga4.KIND,
    google_ads.KIND,
    matomo.KIND,
    meta.KIND,
    metrica.KIND,
    slack.KIND,
    telegram.KIND,
    webhook.KIND,
)
KINDS = {each.word: each for each in _EVERY}

__all__ = ["KINDS", "Field", "FieldKind", "Kind", "Line", "Parcel"]
