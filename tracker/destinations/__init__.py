"""The kinds of destinations, one file each: what it needs, when it may be told what, how it is asked."""

from tracker.destinations import (
    amocrm,
    bitrix24,
    bitrix24_leads,
    callrail,
    email,
    ga4,
    google_ads,
    hubspot,
    matomo,
    meta,
    metrica,
    salesforce,
    slack,
    telegram,
    webhook,
)
from tracker.destinations.kind import Field, FieldKind, Kind, Line, Parcel

_EVERY = (
    amocrm.KIND,
    bitrix24.KIND,
    bitrix24_leads.KIND,
    callrail.KIND,
    email.KIND,
    ga4.KIND,
    google_ads.KIND,
    hubspot.KIND,
    matomo.KIND,
    meta.KIND,
    metrica.KIND,
    salesforce.KIND,
    slack.KIND,
    telegram.KIND,
    webhook.KIND,
)
KINDS = {each.word: each for each in _EVERY}

__all__ = ["KINDS", "Field", "FieldKind", "Kind", "Line", "Parcel"]
