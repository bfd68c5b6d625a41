"""alembic's entry: runs the revisions on the connection that `migrations` opened."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from tracker.models import Base
from tracker.models.base import Instant


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """A revision spells our types as they were when it was written; it must not change with the models."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a table by making it anew
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
