"""What columns are called: by people in four languages, and in the exports of Google Ads and Yandex.Direct.

Small letters, е for ё, spaces for underscores; what stands in brackets or behind a comma is left out before.
A number of a row ("№", "id") is no reference: the next list has the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_DAY = "date, day, дата, день, дата показа, data, dzień, dzien"
_CURRENCY = "currency, currency code, валюта, код валюты, код валюти, waluta, kod waluty"
_NOTE = "note, comment, примечание, комментарий, примітка, коментар, uwagi, notatka, komentarz"

_COSTS = {
    "day": _DAY,
    "medium": "medium, utm medium, тип трафика, тип трафіку, rodzaj ruchu",
    "source": "source, utm source, traffic source, источник, источник трафика, рекламная система, джерело,"
    " джерело трафіку, рекламна система, źródło, zrodlo, źródło ruchu",
    "campaign": "campaign, campaign name, utm campaign, кампания, название кампании, рекламная кампания,"
    " кампанія, назва кампанії, рекламна кампанія, kampania, nazwa kampanii",
    "keyword": "keyword, search keyword, keyword text, utm term, ключевое слово, ключевая фраза, фраза,"
    " условие показа, ключове слово, ключове слово для пошуку, ключова фраза, słowo kluczowe, slowo kluczowe,"
    " słowo kluczowe w sieci wyszukiwania",
    "content": "content, ad, ad name, ad id, utm content, creative, объявление, номер объявления,"
    " № объявления, id объявления, идентификатор объявления, оголошення, ідентифікатор оголошення, reklama,"
    " identyfikator reklamy",
    "channel": "channel, канал, kanał, kanal",
    "amount": "amount, cost, costs, spend, spent, sum, расход, расходы, затраты, стоимость, сумма, потрачено,"
    " витрати, вартість, сума, витрачено, koszt, koszty, kwota, wydatki, wydano",
    "currency": _CURRENCY,
    "note": _NOTE,
    "reference": "reference, ref, референс",
}
_SALES = {
    "at": _DAY + ", at, time, date and time, sold at, close date, дата и время, дата продажи, дата оплаты,"
    " дата заказа, дата і час, дата продажу, дата замовлення, data sprzedaży, data zamówienia,"
    " data i godzina",
    "revenue": "revenue, amount, sum, total, price, выручка, доход, сумма, оборот, стоимость, бюджет,"
    " виручка, дохід, сума, вартість, przychód, przychod, kwota, wartość, cena",
    "profit": "profit, gross profit, margin, прибыль, валовая прибыль, маржа, прибуток, валовий прибуток,"
    " zysk, zysk brutto, marża",
    "currency": _CURRENCY,
    "reference": "reference, ref, order, order id, order number, order no, deal, deal id, transaction,"
    " transaction id, заказ, номер заказа, № заказа, сделка, id сделки, номер сделки, замовлення,"
    " номер замовлення, № замовлення, угода, номер угоди, zamówienie, numer zamówienia, nr zamówienia,"
    " transakcja",
    "status": "status, статус, состояние, стан",
    "call": "call, call key, call id, звонок, дзвінок, połączenie, rozmowa",
    "phone": "phone, phone number, caller, telephone, tel, телефон, номер телефона, телефон клиента,"
    " номер телефону, телефон клієнта, telefon, numer telefonu, telefon klienta",
    "visitor": "visitor, visitor id, посетитель, відвідувач, odwiedzający",
    "note": _NOTE,
}


def _by_title(names: Mapping[str, str]) -> dict[str, str]:
    return {title.strip(): name for name, titles in names.items() for title in titles.split(",")}


COST_TITLES, SALE_TITLES = _by_title(_COSTS), _by_title(_SALES)
COST_COLUMNS, SALE_COLUMNS = tuple(_COSTS), tuple(_SALES)


def _words(text: str) -> frozenset[str]:
    return frozenset(each.strip() for each in text.split(","))


_TOTALS = (
    "total", "totals", "grand total", "subtotal", "итого", "всего", "общий итог", "усього", "всього", "разом",
    "загалом", "łącznie", "lacznie", "razem", "suma", "ogółem", "podsumowanie",
)  # fmt: skip
_NAMED_TOTALS, _SPACED_TOTALS = (tuple(each + mark for each in _TOTALS) for mark in ": ")
WON = _words(
    "won, sold, paid, done, completed, closed won, успешно, успешно реализовано, продано, оплачен, оплачено,"
    " завершен, завершено, выполнен, выполнено, успішно, виконано, сплачено, sprzedane, opłacone, zapłacone,"
    " zrealizowane, zakończone, wygrana"
)
CANCELLED = _words(
    "cancelled, canceled, refunded, returned, lost, closed lost, отменен, отменено, отмена, возврат, отказ,"
    " закрыто и не реализовано, скасовано, повернення, відмова, anulowane, anulowano, zwrot, zwrócone,"
    " przegrana"
)
_NOTHING = frozenset({"", "-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", "(not set)"})


def is_total(cells: Iterable[str], day: str | None) -> bool:
    """Whether a row sums up others: its first cell says so, and it stands for no day (None: none does)."""
    first = next(filter(None, map(said, cells)), "").casefold()
    if not first.startswith(_TOTALS):
        return False
    if first in _TOTALS or first.startswith(_NAMED_TOTALS):
        return not (day and day[0].isdecimal())
    return day is not None and not day[:1].isdecimal() and first.startswith(_SPACED_TOTALS)


def said(cell: str) -> str | None:
    """The cell's text; None for none and for the dashes that exports write instead."""
    text = " ".join(cell.split()) if cell else ""
    return None if text in _NOTHING else text
