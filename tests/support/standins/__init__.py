"""What stands in for each kind of destination in tests: one file a kind, one line here."""

from support.standins import (
    amocrm,
    bitrix24,
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
from support.standins.double import Double

DOUBLES: dict[str, type[Double]] = {
    "amocrm": amocrm.Account,
    "bitrix24": bitrix24.Portal,
    "bitrix24_leads": bitrix24.Leads,
    "callrail": callrail.Receiver,
    "email": email.Server,
    "ga4": ga4.Analytics,
    "google_ads": google_ads.DataManager,
    "hubspot": hubspot.Crm,
    "matomo": matomo.Tracker,
    "meta": meta.Graph,
    "metrica": metrica.Counter,
    "salesforce": salesforce.Org,
    "slack": slack.Hook,
    "telegram": telegram.Bot,
    "webhook": webhook.Receiver,
}
