"""What a message says, and its way out: an e-mail or a webhook. Nothing here touches the database."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tracker import mail, webhook
from tracker.models import Alert, AlertMessage, News, Way
from tracker.policy.alert_words import BEGAN, ENDED, OVER, TEST, TEST_TEXT, words_for
from tracker.policy.phone import display
from tracker.policy.telling import Answer, sign
from tracker.sealed import Shut
from tracker.settings import Settings

Translate = Callable[[str], str]


def in_english(_language: str) -> Translate:
    """A translator for who has none."""
    return str


@dataclass(frozen=True)
class Letter:
    """A message with everything it says, apart from the database."""

    id: int
    key: str
    way: Way
    address: str
    secret: str
    subject: str
    text: str
    data: dict[str, Any]  # of the webhook


def write(message: AlertMessage, web_url: str, translator: Callable[[str], Translate] = in_english) -> Letter:
    """A message as it stands; its address, alert and companies are loaded.

    An e-mail is in the language of the address's company; a webhook is for programs, and English.
    """
    address = message.address
    alert = message.alert
    translate = translator(address.company.language if address.company else "en")
    subject, text = _words(alert, message.news, web_url, translate) if alert else _test(web_url, translate)
    data = {
        "type": "test" if message.news is News.TEST else f"alert.{message.news}",
        "timestamp": message.created_at.astimezone(UTC).isoformat(),
        "data": describe(alert) if alert else {"message": TEST_TEXT},
    }
    secret = "" if address.secret is None else address.secret
    return Letter(message.id, message.key, address.way, address.address, secret, subject, text, data)


def deliver(letter: Letter, settings: Settings, now: datetime) -> Answer:
    """One try. Takes up to a minute; raises nothing for what the other side does."""
    if isinstance(letter.address, Shut) or isinstance(letter.secret, Shut):
        return Answer(False, "Its address was sealed with another secret_key: see `leaseline doctor`")
    if letter.way is Way.EMAIL:
        composed = mail.compose(settings, letter.address, letter.key, letter.subject, letter.text)
        return mail.send(settings, composed)
    body = json.dumps(letter.data, ensure_ascii=False, separators=(",", ":")).encode()
    headers = sign(letter.secret, letter.key, now, body)
    return webhook.post(letter.address, body, headers, settings.webhook_networks)


def describe(alert: Alert) -> dict[str, Any]:
    """An alert as JSON, for programs."""
    words = words_for(alert.kind, alert.name, alert.detail)
    return {
        "id": alert.id,
        "kind": alert.kind.value,
        "company": alert.company.slug if alert.company else None,
        "name": alert.name,
        "figures": alert.detail,
        "title": words.title,
        "advice": words.advice,
        "command": words.command,
        "begun_at": alert.begun_at.astimezone(UTC).isoformat(),
        "ended_at": alert.ended_at.astimezone(UTC).isoformat() if alert.ended_at else None,
        "seen_at": alert.seen_at.astimezone(UTC).isoformat() if alert.seen_at else None,
        "seen_by": alert.seen_by,
    }


def _words(alert: Alert, news: News, web_url: str, translate: Translate) -> tuple[str, str]:
    company = alert.company
    region = company.default_region if company else "ZZ"
    zone = ZoneInfo(company.timezone) if company else ZoneInfo("UTC")

    def shown(value: Any) -> str:
        return display(value, region) if str(value).startswith("+") else str(value)

    words = words_for(alert.kind, alert.name, alert.detail, translate, shown)
    over = news is News.ENDED
    lines = [f"{words.title}.", "", translate(BEGAN) % {"at": _at(alert.begun_at, zone)}]
    if over and alert.ended_at:
        lines += [translate(ENDED) % {"at": _at(alert.ended_at, zone)}]
    else:
        lines += ["", words.advice, f"    {words.command}"]
    whose = company.name if company else "Leaseline"
    lines += ["", f"{whose}: {web_url}/alerts"]
    subject = translate(OVER) % {"title": words.title} if over else words.title
    return f"[{whose}] {subject}", "\n".join(lines) + "\n"


def _test(web_url: str, translate: Translate) -> tuple[str, str]:
    return f"[Leaseline] {translate(TEST)}", f"{translate(TEST_TEXT)}\n\n{web_url}/alerts\n"


def _at(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
