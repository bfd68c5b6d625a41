"""Calltouch: what its API answers (`…/calls-diary/calls`, also with attribution, map of visits and tags).

https://www.calltouch.ru/support/api-metod-vygruzki-zhurnala-zvonkov/ and the same log saved as CSV, with the
titles of its Russian page. Days come first there; texts such as "<не указано>" stand for nothing.
"""

from __future__ import annotations

from tracker.policy.dates import Order
from tracker.policy.moved import Vendor

_YES = {"true", "1", "да", "yes", "успешный", "отвечен", "принят"}


def _plain(row: dict[str, str]) -> dict[str, str]:
    successful = row.pop("successful", "").strip().casefold()
    talk = row.get("talk_seconds", "")
    told = successful in _YES if successful else talk not in {"", "0", "0:00", "00:00", "00:00:00"}
    row["outcome"] = "answered" if told else "missed"
    if not told:
        row["talk_seconds"] = ""
    row["started_at"] = row.pop("epoch", "") or row.get("started_at", "")
    return row


VENDOR = Vendor(
    "calltouch",
    "Calltouch",
    {
        "reference": ("callid", "id", "id звонка", "callreferenceid"),
        "did": (
            "phonenumber",
            "номер calltouch",
            "номер назначения",
            "отслеживаемый номер",
            "набранный номер",
        ),
        "caller": ("callernumber", "номер абонента", "номер клиента", "аон", "телефон"),
        "caller_name": ("имя клиента", "фио"),
        "started_at": ("date", "дата и время", "дата и время звонка", "дата звонка", "дата"),
        "epoch": ("timestamp",),
        "ring_seconds": ("waitingconnect", "время ожидания", "ожидание", "ожидание ответа"),
        "talk_seconds": ("duration", "длительность", "длительность звонка", "длительность разговора"),
        "successful": ("successful", "успешный", "статус", "статус звонка"),
        "employee": ("manager", "менеджер", "оператор"),
        "recording_url": ("callurl", "ссылка на запись", "запись", "запись звонка"),
        "number_name": ("subpoolname", "пул", "подменяемый номер"),
        "source": ("utmsource", "utm source", "source", "источник"),
        "medium": ("utmmedium", "utm medium", "medium", "канал"),
        "campaign": ("utmcampaign", "utm campaign", "кампания", "рекламная кампания"),
        "keyword": ("utmterm", "utm term", "keyword", "ключевое слово", "ключевая фраза"),
        "content": ("utmcontent", "utm content"),
        "landing_url": ("url", "страница входа", "посадочная страница", "url входа"),
        "referrer": ("ref", "реферер", "источник перехода"),
        "gclid": ("gclid",),
        "yclid": ("yclid",),
        "visitor": ("ctclientid", "ctcallerid", "clientid"),
        "tags": ("calltags", "теги", "тег"),
        "note": ("comments", "комментарий", "комментарии"),
    },
    _plain,
    order=Order.DAY_FIRST,
    hosts=("calltouch.ru", "calltouch.net"),
)
