"""What stands in for each kind of destination in tests: one file a kind, one line here."""

from support.standins import (
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
from support.standins.double import Double

DOUBLES: dict[str, type[Double]] = {
    "callrail": callrail.Receiver,
    "email": email.Server,
    "ga4": ga4.Analytics,
    "google_ads": google_ads.DataManager,
    "matomo": matomo.Tracker,
    "meta": meta.Graph,
    "metrica": metrica.Counter,
    "slack": slack.Hook,
    "telegram": telegram.Bot,
    "webhook": webhook.Receiver,
}
