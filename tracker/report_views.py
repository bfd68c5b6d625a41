"""What reports count, as views for engineers' own tools: read-only, with documented columns.

    with made_anew(connection): ...      # around every upgrade of the schema
    VIEWS["report_calls"].select         # the same rows for our own programs

They are made of the expressions that the pages count by (tracker.report_cells), so both say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_words import IS_COUNTED, KNOWN
from tracker.models import Call, Channel, ChannelRent, Company, Cost, Sale, Visit, Visitor
from tracker.models.base import Money
from tracker.policy.references import FORM, ROW, WORDS
from tracker.policy.report_words import By
from tracker.policy.touches import DIRECT
from tracker.report_cells import Cells
from tracker.sql_money import decimal_of
from tracker.walks import IS_STATIC

Select = sa.Select[*tuple[Any, ...]]
Statement = Select | sa.CompoundSelect[*tuple[Any, ...]]


@dataclass(frozen=True)
class Column:
    """A view's column: its expression in each part of the view, and what it means."""

    name: str
    means: str
    expressions: tuple[Any, ...]


@dataclass(frozen=True)
class View:
    """`parts` are put one after the other; each is given the columns and adds the tables they are of."""

    name: str
    means: str
    columns: Sequence[Column]
    parts: Sequence[Any]

    @property
    def select(self) -> Statement:
        """Its rows with the types that the models have."""
        return self._select(lambda it: it)

    @property
    def sql_select(self) -> Statement:
        """Its rows as a database shows them to others: money as an amount."""
        return self._select(_shown)

    def _select(self, told: Any) -> Statement:
        parts = [
            tables(sa.select(*(told(it.expressions[place]).label(it.name) for it in self.columns)))
            for place, tables in enumerate(self.parts)
        ]
        return parts[0] if len(parts) == 1 else sa.union_all(*parts)


def _shown(expression: Any) -> Any:
    if isinstance(expression.type, Money):
        return decimal_of(sa.type_coerce(expression, sa.BigInteger))
    return expression


# ---- the words of calls and visits ----

_WORDS = {
    By.MEDIUM: "the medium", By.SOURCE: "the source", By.CAMPAIGN: "the campaign", By.KEYWORD: "the keyword",
    By.AD: "the ad", By.CHANNEL: "the channel group of a visit, `channel/NAME` of a channel's call",
    By.LANDING: "the page on which the visit began, without what follows its path",
    By.SITE: "the website", By.COUNTRY: "the visitor's country (ISO 3166)",
    By.DEVICE: "`phone`, `tablet`, `desktop`, `other`",
}  # fmt: skip
_OF_CALLS = {
    By.KIND: "`dynamic`, `static`, `known_caller`: how the caller came to the number",
    By.DELAY: "the time from the visit's beginning to the call: `under-1m` … `over-24h`",
    By.CALLER: "`first`, `repeat`, `withheld`",
    By.NUMBER: "our number, E.164", By.EMPLOYEE: "the target that answered",
    By.CATEGORY: "`target`, `service`, `non_target`; null: nobody has judged it",
}  # fmt: skip
_NAMES = {By.LANDING: "landing_page", By.CALLER: "first_or_repeat", By.EMPLOYEE: "answered_by"}
_CALLS = Cells(Session(), (*_WORDS, *_OF_CALLS), ZoneInfo("UTC"))
_VISITS = Cells(Session(), tuple(_WORDS), ZoneInfo("UTC"))


def _words(cells: Cells, told: dict[By, str]) -> Iterator[Column]:
    for by, column in zip(told, cells.columns, strict=False):
        # What nobody knows is empty in a report's column.
        yield Column(_NAMES.get(by, by.value), told[by], (sa.func.nullif(column.element, ""),))


def _company(company_id: Any) -> list[Column]:
    return [Column("company_id", "whose it is; each query should name one", (company_id,))]


def _of_calls(wanted: Select) -> Select:
    return _CALLS.of_calls(wanted).join(Company, Company.id == Call.company_id).where(IS_COUNTED)


def _of_visits(wanted: Select) -> Select:
    return _VISITS.of_visits(wanted).join(Visitor, Visitor.id == Visit.visitor_id)


_CALL = [
    *_company(Call.company_id),
    Column("timezone", "the company's, by whose clocks reports count days", (Company.timezone,)),
    Column("call_id", "the call", (Call.id,)),
    Column("key", "its key, as in `/calls/KEY` and the API", (Call.key,)),
    Column("started_at", "when it came, UTC", (Call.started_at,)),
    Column("answered_at", "when somebody answered", (Call.answered_at,)),
    Column("ended_at", "when it was over; null: it goes on", (Call.ended_at,)),
    Column("wait_seconds", "until the answer, or the end", (Call.wait_seconds,)),
    Column("talk_seconds", "people talking", (Call.talk_seconds,)),
    Column("outcome", "`answered`, `missed`, `busy`, `failed`, `gave_up`, `refused`",
           (sa.type_coerce(Call.outcome, sa.String),)),
    Column("caller", "the caller's number, null where he shows none", (sa.case((KNOWN, Call.caller)),)),
    Column("visit_id", "the visit that brought it", (Call.visit_id,)),
    Column("visitor_id", "whose visit that was", (Visit.visitor_id,)),
    Column("channel_id", "the channel whose number it was", (Call.channel_id,)),
    Column("is_uncertain", "whether its source is", (Call.uncertain,)),
    Column("value", "what a person said it was worth, in the company's currency", (Call.value,)),
    *_words(_CALLS, _WORDS | _OF_CALLS),
]  # fmt: skip
_VISIT = [
    *_company(Visitor.company_id),
    Column("visit_id", "the visit", (Visit.id,)),
    Column("visitor_id", "the browser", (Visit.visitor_id,)),
    Column("started_at", "when it began, UTC", (Visit.started_at,)),
    Column("left_at", "when it ended; null: it goes on, or he went without a word", (Visit.left_at,)),
    Column("is_paid", "whether an ad brought it that is paid for by the click", (Visit.paid,)),
    Column("is_direct", "whether no source is known", (Visit.source == DIRECT,)),
    Column("suspicion", "why its source may be forged; null: it does not seem so", (Visit.suspicion,)),
    *_words(_VISITS, _WORDS),
]
_HAS_CHANNEL = Channel.id.is_not(None)


def _own(channels: Any, costs: Any) -> Any:
    """The channel's own word, as tracker.costs.words_now has it."""
    return sa.func.coalesce(sa.func.nullif(channels, ""), costs)


_COST = [
    *_company(Cost.company_id),
    Column("cost_id", "the cost", (Cost.id,)),
    Column("day", "of which day", (Cost.day,)),
    Column("medium", "the medium; null: the cost was told of the source alone",
           (sa.case((_HAS_CHANNEL, Channel.medium), else_=Cost.medium),)),
    Column("source", "the source", (sa.case((_HAS_CHANNEL, Channel.source), else_=Cost.source),)),
    Column("campaign", "the campaign", (_own(Channel.campaign, Cost.campaign),)),
    Column("keyword", "the keyword", (_own(Channel.keyword, Cost.keyword),)),
    Column("ad", "the ad", (Cost.content,)),
    Column("channel_id", "the channel, of a static one's cost", (Cost.channel_id,)),
    Column("channel", "its name", (Channel.name,)),
    Column("amount", "what was paid, in `currency`", (Cost.amount,)),
    Column("currency", "ISO 4217; reports use the company's rates for others than its own", (Cost.currency,)),
    Column("entered", "`hand`, `file`, `api`", (sa.type_coerce(Cost.entered, sa.String),)),
]  # fmt: skip
_RENT = [
    *_company(ChannelRent.company_id),
    Column("rent_id", "the rent", (ChannelRent.id,)),
    Column("channel_id", "the channel", (ChannelRent.channel_id,)),
    Column("channel", "its name", (Channel.name,)),
    Column("amount", "what it costs a month; reports spread it over the month's days", (ChannelRent.amount,)),
    Column("currency", "ISO 4217", (ChannelRent.currency,)),
    Column("from_day", "the first day", (ChannelRent.from_day,)),
    Column("until_day", "the last; null: no end yet", (ChannelRent.until_day,)),
]
_IS_OURS = [
    sa.func.substr(Sale.reference, 1, len(begin)) == begin for begin in (WORDS, ROW, FORM)
]  # we made these up
_SALE = [
    *_company(Sale.company_id),
    Column("sale_id", "the sale", (Sale.id,)),
    Column("at", "when it was made, UTC", (Sale.at,)),
    Column("revenue", "what was paid, in `currency`", (Sale.revenue,)),
    Column("profit", "gross profit; null: nobody has said", (Sale.profit,)),
    Column("currency", "ISO 4217", (Sale.currency,)),
    Column("status", "`won`, `cancelled`: reports count the won", (sa.type_coerce(Sale.status, sa.String),)),
    Column("reference", "the order's number, as it was told",
           (sa.case((sa.or_(*_IS_OURS), sa.null()), else_=Sale.reference),)),
    Column("matched_by", "`call`, `phone`, `visitor`; null: of nobody known",
           (sa.type_coerce(Sale.matched_by, sa.String),)),
    Column("call_id", "the call that it came of", (Sale.call_id,)),
    Column("visitor_id", "the visitor who bought", (Sale.visitor_id,)),
    Column("entered", "`hand`, `file`, `api`", (sa.type_coerce(Sale.entered, sa.String),)),
]  # fmt: skip
_BOTH = [each.value for each in (By.MEDIUM, By.SOURCE, By.CAMPAIGN, By.KEYWORD, By.AD, By.CHANNEL)]
_BY_NAME = [{column.name: column for column in columns} for columns in (_VISIT, _CALL)]


def _both(name: str, means: str | None = None) -> Column:
    visits, calls = (columns[name] for columns in _BY_NAME)
    return Column(name, means or visits.means, (*visits.expressions, *calls.expressions))


_TOUCH = [
    _both("company_id"),
    Column("kind", "`visit`, or `call`: to a channel's number, which no visit explains",
           (sa.literal("visit"), sa.literal("call"))),
    Column("visit_id", "the visit", (Visit.id, sa.cast(sa.null(), sa.BigInteger))),
    Column("call_id", "the call", (sa.cast(sa.null(), sa.BigInteger), Call.id)),
    Column("visitor_id", "the browser", (Visit.visitor_id, sa.cast(sa.null(), sa.BigInteger))),
    Column("caller", "the telephone, null where it is not shown",
           (sa.cast(sa.null(), sa.String), sa.case((KNOWN, Call.caller)))),
    _both("started_at", "when, UTC"),
    Column("is_direct", "whether no source is known", (Visit.source == DIRECT, sa.false())),
    *(_both(name) for name in _BOTH),
]  # fmt: skip

VIEWS = {
    view.name: view
    for view in (
        View("report_calls", "Calls, with the words that reports group them by.", _CALL, [_of_calls]),
        View("report_visits", "Visits of the websites, with their sources.", _VISIT, [_of_visits]),
        View("report_costs", "What advertising cost by the day, in the words that it counts by now.", _COST,
             [lambda it: it.select_from(Cost).outerjoin(Channel, Channel.id == Cost.channel_id)]),
        View("report_rents", "What channels cost a month.", _RENT,
             [lambda it: it.select_from(ChannelRent).join(Channel, Channel.id == ChannelRent.channel_id)]),
        View("report_sales", "What was sold, and to whom.", _SALE,
             [lambda it: it.select_from(Sale).join(Company, Company.id == Sale.company_id)]),
        View("report_touches", "The steps of persons' journeys, which models share sales among.", _TOUCH,
             [_of_visits, lambda it: _of_calls(it).where(IS_STATIC)]),
    )
}  # fmt: skip


# ---- in the database ----


@contextmanager
def made_anew(connection: sa.Connection, *, in_place: bool = False) -> Iterator[None]:
    """Tables may be altered meanwhile, and are seen through present views afterwards, by whom they were.

    `in_place`: where the database can, without dropping them.
    """
    sqlite = connection.dialect.name == "sqlite"
    readers = [] if sqlite else _readers(connection)
    if sqlite or not in_place:
        drop_views(connection)
    yield
    if not _replaced(connection):
        drop_views(connection)
        make_views(connection)
    for name, reader in readers:
        role = "PUBLIC" if reader == "PUBLIC" else connection.dialect.identifier_preparer.quote(reader)
        connection.exec_driver_sql(f"GRANT SELECT ON {name} TO {role}".replace("%", "%%"))


def make_views(connection: sa.Connection) -> None:
    """Makes all of them; on PostgreSQL also where they are there, if no column has become another."""
    make = "CREATE VIEW" if connection.dialect.name == "sqlite" else "CREATE OR REPLACE VIEW"
    for view in VIEWS.values():
        connection.exec_driver_sql(f"{make} {view.name} AS {_sql(view, connection.dialect)}")


def drop_views(connection: sa.Connection) -> None:
    """Drops those there are, which no table could be altered beneath; with what was built upon them."""
    more = "" if connection.dialect.name == "sqlite" else " CASCADE"
    for name in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}{more}")


def _replaced(connection: sa.Connection) -> bool:
    try:
        with connection.begin_nested():
            make_views(connection)
    except sa.exc.ProgrammingError:  # a column has become another
        return False
    return True


def _sql(view: View, dialect: sa.Dialect) -> str:
    return str(view.sql_select.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _readers(connection: sa.Connection) -> list[tuple[str, str]]:
    wanted = sa.text(
        "SELECT table_name, grantee FROM information_schema.role_table_grants WHERE table_schema ="
        " current_schema() AND privilege_type = 'SELECT' AND grantee <> current_user AND table_name IN :names"
    ).bindparams(sa.bindparam("names", list(VIEWS), expanding=True))
    return [(row[0], row[1]) for row in connection.execute(wanted)]


def as_markdown() -> str:
    """The views and their columns, as docs/integrator.md has them."""
    return "\n\n".join(
        "\n".join(
            [f"`{view.name}`: {view.means}", "", "| column | |", "|---|---|"]
            + [f"| `{column.name}` | {column.means} |" for column in view.columns]
        )
        for view in VIEWS.values()
    )
