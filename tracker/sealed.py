"""A column whose texts stand in the database sealed, and are plain in the program.

The key is the database's own (tracker.database): whoever opens it with none can read everything but these.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from tracker.vault import Vault, is_sealed

KEPT_AT = "leaseline_vault"  # the attribute of a dialect; each database has one of its own


class Shut(str):
    """A secret that this installation's key does not open: it reads as nothing, and is never written."""

    __slots__ = ()


class Stored(str):
    """A text that is written exactly as it is, because it is sealed already."""

    __slots__ = ()


class Sealed(TypeDecorator[str]):
    """A text of any length. One from before texts were sealed is read as it is (tracker.rekeying seals it).

    Two of the same text differ in the database: nothing can be looked for by it.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        if value is None or isinstance(value, Stored):
            return value and str(value)
        if isinstance(value, Shut):
            raise ValueError("a secret that could not be opened is not written back")
        vault: Vault | None = getattr(dialect, KEPT_AT, None)
        if vault is None:
            raise RuntimeError("this Database was opened without a secret_key, and can seal nothing")
        return vault.seal_text(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        if value is None or not is_sealed(value):
            return value
        vault: Vault | None = getattr(dialect, KEPT_AT, None)
        opened = vault.open_text(value) if vault else None
        return Shut() if opened is None else opened
