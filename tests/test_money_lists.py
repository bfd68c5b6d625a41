"""Lists of costs and sales: each way to write them is read in one way, or refused by its line and why."""

from __future__ import annotations

import calendar
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from tracker.errors import Rejected
from tracker.policy.amounts import Amounts, Mark
from tracker.policy.cost_list import Found, KnownChannel, Wanted, read_costs, told_costs
from tracker.policy.costs import Rent, daily_rent
from tracker.policy.dates import Dates, Order
from tracker.policy.rates import Rates, read_rate
from tracker.policy.sale_list import Place, read_sales
from tracker.policy.sales import PossibleCall, SaleStatus, choose_call, latest_instant
from tracker.policy.tables import Unreadable
from tracker.policy.worth import Category

NOVEMBER = date(2026, 11, 5)
BILLBOARD = KnownChannel(7, "Билборд", "offline", "Билборд", "spring")
T3 = """Источник;Расход
Контекстная реклама;50\N{NO-BREAK SPACE}000
SEO;25 000
Социальные сети;35\N{NARROW NO-BREAK SPACE}000,00
Билборд;8 000
Итого;118 000
"""


def costs(text: str | bytes, **more: object) -> Found:
    given = {"currency": "RUB", "source": "google", **more}
    return read_costs(text.encode() if isinstance(text, str) else text, Wanted(**given))  # type: ignore[arg-type]


def amounts(found: Found) -> list[str]:
    assert not found.problems, [each.problem for each in found.problems]
    return [f"{line.amount:f}" for line in found.lines]


def test_t3_is_read_to_the_coin_and_its_total_left_out() -> None:
    found = costs(T3, day=NOVEMBER, source=None, channels=[BILLBOARD])
    assert {line.words.source: line.amount for line in found.lines} == {
        "контекстная реклама": 50_000, "seo": 25_000, "социальные сети": 35_000, "Билборд": 8_000,
    }  # fmt: skip
    assert sum(line.amount for line in found.lines) == 118_000
    assert (found.totals, found.lines[3].channel_id, found.lines[3].words.campaign) == (1, 7, "spring")


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_is_read_whatever_saved_it(encoding: str, delimiter: str) -> None:
    rows = [["Дата", "Кампания", "Расход"], ["05.11.2026", "Осень, скидки; всё", '"1 200,50"']]
    text = "\r\n".join(
        delimiter.join(f'"{cell}"' if set(",;") & set(cell) and cell[0] != '"' else cell for cell in row)
        for row in rows
    )
    found = costs(text.encode(encoding))
    assert amounts(found) == ["1200.50"]
    assert found.lines[0].words.campaign == "Осень, скидки; всё"


def test_polish_of_windows_is_not_taken_for_cyrillic() -> None:
    found = costs("data;źródło;koszt\n5.11.2026;Gazeta Łódzka;1.234,50 zł\n".encode("cp1250"), currency="PLN")
    assert (found.lines[0].words.source, amounts(found)) == ("gazeta łódzka", ["1234.50"])


EXPORTS = {
    "Google Ads": (
        "Campaign report\nNovember 1, 2026 - November 30, 2026\n"
        "Day\tCampaign\tSearch keyword\tCurrency code\tCost\tClicks\n"
        "2026-11-05\tPallets\tbuy pallets\tUSD\t1,200.50\t3\n"
        "2026-11-06\tTotal comfort\t --\tUSD\t1,200\t1\n"
        " --\tTotal: Account\t --\tUSD\t2,400.50\t4\n",
        [("2026-11-05", "Pallets", "buy pallets", "1200.50", "USD"),
         ("2026-11-06", "Total comfort", None, "1200", "USD")],
    ),
    "Google Ads, Russian": (
        'День,Кампания,Код валюты,Стоимость\n2026-11-05,Поддоны,RUB,"1 200,50"\n'
        'Итого: аккаунт, --,RUB,"1 200,50"\n',
        [("2026-11-05", "Поддоны", None, "1200.50", "RUB")],
    ),
    "Google Ads, Ukrainian": (
        'День,Кампанія,Код валюти,Вартість\n2026-11-05,Піддони,UAH,"1 200,50"\n'
        'Усього: обліковий запис, --,UAH,9\n',
        [("2026-11-05", "Піддони", None, "1200.50", "UAH")],
    ),
    "Google Ads, Polish": (
        'Dzień,Kampania,Kod waluty,Koszt\n2026-11-05,Palety,PLN,"1 200,50"\n'
        'Łącznie: konto, --,PLN,"1 200,50"\n',
        [("2026-11-05", "Palety", None, "1200.50", "PLN")],
    ),
    "Yandex.Direct": (
        "Дата;Кампания;№ кампании;Условие показа;Показы;Расход (руб.)\n"
        "05.11.2026;Поддоны;772040791973;купить поддоны;10;1 200,50\n"
        "Всего с 01.11.2026 по 30.11.2026;;;;10;1 200,50\n",
        [("2026-11-05", "Поддоны", "купить поддоны", "1200.50", "RUB")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("program", EXPORTS)
def test_an_export_is_read_as_it_comes(program: str) -> None:
    text, rows = EXPORTS[program]
    found = costs(text, currency="EUR")
    assert not found.problems
    assert found.totals == 1
    assert rows == [
        (it.day.isoformat(), it.words.campaign, it.words.keyword, f"{it.amount:f}", it.currency)
        for it in found.lines
    ]


def test_a_column_may_be_named_by_whoever_gives_the_file() -> None:
    text = EXPORTS["Yandex.Direct"][0]
    assert costs(text, columns={"campaign": "№ Кампании"}).lines[0].words.campaign == "772040791973"
    with pytest.raises(Rejected, match="has no column 'Тег'"):
        costs(text, columns={"campaign": "Тег"})


CELLS = [  # a column, and what each cell is; None: refused
    (["1,200", "3,400.50"], ["1200", "3400.50"]),
    (["1.200", "3.400,50"], ["1200", "3400.50"]),
    (["1.200", "3400,5"], ["1200", "3400.5"]),
    (["1,200", "12.5", "12,5"], [None, "12.5", "12.5"]),  # the column says both
    (["1,200"], [None]),
    (["1,200,000", "1,200"], ["1200000", "1200"]),
    (["0,125", "1,200"], ["0.125", "1.200"]),
    (["1 200", "1'200", "1\N{RIGHT SINGLE QUOTATION MARK}200", "1\u202f200"], ["1200"] * 4),
    (["$1,200.50", "USD 12", "12 usd"], ["1200.50", "12", "12"]),
    (["12 34", "1,20,000", "1.200.00", "1e5", "=1+1", "(5)", "-5", "", "5,", "1 200.300,50"], [None] * 10),
    (["0.12345", "100000000000"], [None, None]),
]


@pytest.mark.parametrize(("cells", "read"), CELLS, ids=lambda each: str(each[0]))
def test_a_column_of_amounts_decides_what_its_marks_mean(cells: list[str], read: list[str | None]) -> None:
    column = Amounts(cells)
    assert [outcome(column, cell) for cell in cells] == read


def outcome(column: Amounts, cell: str) -> str | None:
    try:
        return f"{column.read(cell, 'USD').amount:f}"
    except Unreadable:
        return None


def test_what_is_told_of_the_decimals_counts_and_nothing_else_fits() -> None:
    assert outcome(Amounts(["1,200"], Mark.POINT), "1,200") == "1200"
    assert outcome(Amounts(["1,200"], Mark.COMMA), "1,200") == "1.200"
    assert outcome(Amounts(["12.5"], Mark.COMMA), "12.5") is None


written = st.decimals(0, 10**10, places=2) | st.decimals(0, 2000, places=2)


@given(st.lists(written, min_size=1, max_size=6), st.sampled_from(["", ",", ".", " ", "\u00a0", "'"]),
       st.sampled_from([".", ","]), st.sampled_from(["%s", "%s ₽", "RUB %s", "%s руб."]))  # fmt: skip
def test_no_amount_is_ever_read_as_another(values: list[Decimal], group: str, mark: str, sign: str) -> None:
    if group == mark:
        return
    cells = [sign % as_written(value, group, mark) for value in values]
    column = Amounts(cells)
    for cell, value in zip(cells, values, strict=True):
        assert column.read(cell, "RUB").amount == value
        whole = sign % as_written(value.to_integral_value(), group, mark)[: -len(mark + "00")]
        read = outcome(column, whole)
        assert read is not None
        assert Decimal(read) == value.to_integral_value(), whole
        alone = outcome(Amounts([whole]), whole)
        assert alone is None or Decimal(alone) == value.to_integral_value(), whole


def as_written(value: Decimal, group: str, mark: str) -> str:
    return f"{value:,.2f}".replace(",", "g").replace(".", mark).replace("g", group)


@given(st.lists(st.dates(date(2000, 1, 1), date(2099, 12, 31)), min_size=1, max_size=8),
       st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y%m%d",
                        "%Y/%m/%d"]))  # fmt: skip
def test_no_day_is_ever_read_as_another(days: list[date], form: str) -> None:
    cells = [day.strftime(form) for day in days]
    column = Dates(cells)
    for cell, day in zip(cells, days, strict=True):
        try:
            assert column.day(cell) == day
            assert column.day(f"{cell} 14:30") == day
        except Unreadable:
            assert "/" in cell or form == "%d-%m-%Y"
            assert column.order is None
    told = Dates(cells, Order.MONTH_FIRST if form == "%m/%d/%Y" else Order.DAY_FIRST)
    assert [told.day(cell) for cell in cells] == days


@given(st.text(max_size=30))
def test_any_text_is_a_day_and_an_amount_or_refused(text: str) -> None:
    with suppress(Unreadable):
        Dates([text]).day(text)
    with suppress(Unreadable):
        Dates([text]).instant(text, MOSCOW)
    with suppress(Unreadable):
        assert Amounts([text]).read(text, "EUR").amount >= 0


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_refused(content: bytes) -> None:
    for whole in (content, b"day,source,amount\n" + content):
        with suppress(Rejected):
            assert costs(whole).lines is not None


def test_every_bad_row_is_told_by_its_line_and_column() -> None:
    found = costs(
        "day,source,amount\n2026-11-05,google,1\n2026-13-05,google,1\n\n2026-11-05,google,x\n"
        '2026-11-05,"two\nlines",5 €\n05/06/2026,google,5\n2026-11-05,google,5,6\n2026-11-05,,-5\n',
        source=None,
    )
    assert [(it.line, it.column) for it in found.problems] == [
        (3, "day"), (5, "amount"), (8, "day"), (9, ""), (10, "source"),
    ]  # fmt: skip
    assert found.lines[1].words.source == "two lines"


BAD_FILES = [
    (b"PK\x03\x04", "file.workbook"), (b"", "file.titles"), (b"a,b\n1,2\n", "file.titles"),
    (b"day,amount\n", "file.empty"), (b'day,amount\n2026-11-05,"5\n', "file.csv"),
    (b"day,source\n2026-11-05,google\n", "file.column"), (b"source,amount\ngoogle,5\n", "file.column"),
    (b"day,amount" + b"," * 1000 + b"\n2026-11-05,5\n", "file.column"),
    (b"day,amount\n2026-11-05,5" + b"," * 1000 + b"\n", "file.csv"),
    (b"sep=\r\nday,source\n", "file.empty"),
    (b"day,amount,cost\n2026-11-05,5,6\n", "file.column"), (b"day,amount\n\x98\xff\x81,5\n", "file.encoding"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "problem"), BAD_FILES)
def test_what_is_no_list_of_costs_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(Rejected) as refused:
        costs(content)
    assert refused.value.id == problem
    assert refused.value.fix


def test_a_formula_is_text_and_excels_first_line_the_delimiter() -> None:
    found = costs("sep=|\nday|campaign|amount\n2026-11-05|=cmd|5\n")
    assert (found.lines[0].line, found.lines[0].words.campaign) == (3, "=cmd")


def test_rows_of_the_same_day_and_words_add_up_and_references_do_not() -> None:
    found = costs("day,source,amount\n2026-11-05,google,12\n2026-11-05,Google,13\n2026-11-05,google,€1\n")
    assert (found.merged, [it.line for it in found.problems]) == (1, [4])
    assert found.lines[0].amount == 25
    found = costs("day,amount,reference\n2026-11-05,12,a\n2026-11-06,13,a\n")
    assert [(it.line, it.problem) for it in found.problems] == [(3, "line 2 has the same reference")]


def test_what_is_said_of_a_list_is_as_short_as_its_cells_may_be() -> None:
    assert costs("day,amount\n2026-11-05,5\n", source=" google ").lines[0].words.source == "google"
    for words in ({"source": "x" * 201}, {"source": "a\0b"}, {"medium": "x" * 101}):
        with pytest.raises(Rejected, match="cannot be used as text"):
            costs("day,amount\n2026-11-05,5\n", **words)


def test_rows_never_add_up_to_more_than_an_amount_may_be() -> None:
    found = costs("day,amount\n2026-11-05,9000000000\n2026-11-05,1000000000\n2026-11-05,1\n")
    assert [(it.line, it.problem) for it in found.problems] == [(4, "'10000000001' is too large")]


def test_what_programs_tell_has_points_and_known_names_only() -> None:
    wanted = Wanted("EUR")
    found = told_costs(
        [{"day": "2026-11-05", "source": "google", "amount": 1200.5}, {"amount": "1,5", "sauce": 1}], wanted
    )
    assert [line.amount for line in found.lines] == [Decimal("1200.5")]
    assert {(it.line, it.column) for it in found.problems} == {(2, "sauce"), (2, "day")}


MOSCOW = ZoneInfo("Europe/Moscow")
PLACE = Place(MOSCOW, "RU", datetime(2026, 11, 20, 12, tzinfo=UTC))


def test_sales_are_read_with_status_phone_and_time() -> None:
    text = (
        "Дата продажи;Сумма;Прибыль;Телефон;Номер заказа;Статус\n"
        "05.11.2026 14:30;20 000;8 700;8 (916) 123-45-67;1;Оплачен\n"
        "06.11.2026;1 000,50;-10;79161234567;2;возврат\n"
    )
    found = read_sales(text.encode(), Wanted("RUB"), PLACE)
    assert not found.problems
    first, second = found.lines
    assert first.at == datetime(2026, 11, 5, 11, 30, tzinfo=UTC)
    assert [first.revenue, first.profit] == [20_000, 8_700]
    assert (first.phone, first.status) == ("+79161234567", SaleStatus.WON)
    assert second.profit == -10
    assert (second.phone, second.status) == ("+79161234567", SaleStatus.CANCELLED)


def test_bad_sales_are_told_too() -> None:
    text = (
        "date,revenue,profit,phone,status,order\n2026-11-05,1,,12,,1\n2026-12-05,1,,,,2\n"
        "2026-11-05,-1,,,,3\n2026-11-05,1,x,,,4\n2026-11-05,1,,,maybe,5\n2026-11-05,1,,,,6\n2026-11-05,1,,,,6\n"
    )
    found = read_sales(text.encode(), Wanted("RUB"), PLACE)
    assert [(it.line, it.column) for it in found.problems] == [
        (2, "phone"), (3, "date"), (4, "revenue"), (5, "profit"), (6, "status"), (8, "order"),
    ]  # fmt: skip


coins = st.integers(0, 10**9)
days = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@given(coins, days, st.sampled_from(["RUB", "EUR", "JPY", "KWD"]))
def test_a_rent_s_days_add_up_to_the_month_s_amount(amount: int, day: date, currency: str) -> None:
    """Leap or not, whatever the clocks do: days are days."""
    scale = -get_currency_precision(currency)
    rent = Rent(Decimal(amount).scaleb(scale), currency, day.replace(day=1))
    last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    spread = [value for _, value in daily_rent(rent, rent.from_day, last)]
    assert sum(spread) == rent.amount
    assert max(spread) - min(spread) <= Decimal(1).scaleb(scale)
    assert len(spread) == last.day


def test_a_rent_is_due_between_its_days_only() -> None:
    rent = Rent(Decimal(2900), "RUB", date(2028, 2, 28), date(2028, 3, 1))
    found = list(daily_rent(rent, date(2028, 1, 1), date(2028, 12, 31)))
    assert [(day.isoformat(), f"{value:f}") for day, value in found] == [
        ("2028-02-28", "100.00"), ("2028-02-29", "100.00"), ("2028-03-01", "93.55"),
    ]  # fmt: skip


def test_a_rate_holds_until_the_next_and_is_never_guessed() -> None:
    rates = Rates("RUB", [("USD", NOVEMBER, Decimal(90)), ("USD", NOVEMBER + timedelta(9), Decimal("92.5"))])
    assert rates.convert(Decimal("1.10"), "USD", NOVEMBER + timedelta(8)) == 99
    assert rates.convert(Decimal(2), "USD", NOVEMBER + timedelta(9)) == 185
    assert rates.convert(Decimal(2), "RUB", NOVEMBER) == 2
    for currency, day in (("USD", NOVEMBER - timedelta(1)), ("EUR", NOVEMBER)):
        with pytest.raises(Rejected, match=f"There is no rate of {currency} for {day}"):
            rates.convert(Decimal(1), currency, day)
    assert read_rate("92,5") == read_rate("92.50")
    for text in ("0", "-1", "x", "1e5", "", "1.12345678901"):
        with pytest.raises(Rejected, match="is no rate"):
            read_rate(text)


def test_a_sale_is_put_down_to_the_latest_target_call_of_its_day_or_before() -> None:
    at = datetime(2026, 11, 5, 0, 0, tzinfo=MOSCOW)
    before = latest_instant(at, MOSCOW)
    assert before == datetime(2026, 11, 5, 21, 0, tzinfo=UTC)
    target, service, later = (
        PossibleCall(1, before - timedelta(days=5), Category.TARGET),
        PossibleCall(2, before - timedelta(hours=1), Category.SERVICE),
        PossibleCall(3, before, Category.TARGET),
    )
    assert choose_call([later, service, target], before) is target
    assert choose_call([later, service], before) is service
    assert choose_call([later], before) is None
