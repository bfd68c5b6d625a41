"""What every table shares: naming of constraints, aware UTC instants, enumerations as words."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# BIGINT on PostgreSQL; SQLite only auto-increments a column spelled INTEGER (and that is 64 bits there).
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

MONEY_SCALE = 10_000
RATE_SCALE = 10**10


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept in UTC; a naive datetime is refused before it reaches the database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: give an aware one")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _Exact(TypeDecorator[Decimal]):
    """A decimal as a whole number of its smallest parts: exact on SQLite too, which knows no decimals."""

    impl = sa.BigInteger
    cache_ok = True
    scale = 1

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> int | None:
        if value is None:
            return None
        whole = value * self.scale
        if whole != whole.to_integral_value():
            raise ValueError(f"{value} has parts smaller than 1/{self.scale}: round it first")
        return int(whole)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)) / self.scale


class Money(_Exact):
    """An amount, exact to four decimals: whole ten-thousandths in the database.

    So a sum over a million rows is exact on SQLite too.
    """

    cache_ok = True
    scale = MONEY_SCALE


class Rate(_Exact):
    """An exchange rate, exact to ten decimals."""

    cache_ok = True
    scale = RATE_SCALE


def words(kind: type[enum.StrEnum]) -> sa.Enum:
    """A column that holds one of the enumeration's words, checked by the database."""
    return sa.Enum(
        kind,
        name=kind.__name__.lower(),
        native_enum=False,
        create_constraint=True,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy's declared attribute)
        datetime: Instant(),
        dict[str, Any]: sa.JSON(),
        list[str]: sa.JSON(),
        list[dict[str, Any]]: sa.JSON(),
    }
