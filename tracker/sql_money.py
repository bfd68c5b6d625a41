"""Money in views: a decimal where the database has such, on SQLite a number."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from tracker.models.base import MONEY_SCALE


class decimal_of(GenericFunction[Decimal]):  # noqa: N801  (named as in SQL)
    """Whole ten-thousandths, as the tables have them, as an amount."""

    type = sa.Numeric(20, 4)
    inherit_cache = True


@compiles(decimal_of, "sqlite")
def _sqlite(element: Any, compiler: Any, **more: Any) -> str:
    (parts,) = (compiler.process(each, **more) for each in element.clauses)
    return f"({parts} / {MONEY_SCALE}.0)"


@compiles(decimal_of, "postgresql")
def _postgresql(element: Any, compiler: Any, **more: Any) -> str:
    (parts,) = (compiler.process(each, **more) for each in element.clauses)
    return f"CAST(CAST({parts} AS numeric) / {MONEY_SCALE} AS numeric(20, 4))"
