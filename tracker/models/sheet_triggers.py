"""The triggers that note at which instant of which company something changed that day sheets tell.

    for statement in statements("sqlite"): ...       # also "postgresql"; safe to run again

They are in the database and not in our services, so that whoever writes, by whatever way, cannot forget it.
A revision that changes them runs these statements; those before it then need a copy of what they ran.
"""

from __future__ import annotations

from collections.abc import Iterator

# Whatever of a call any sheet counts.
FIRST_CALL_COLUMNS = (
    "company_id", "number_id", "caller", "presentation", "repeat", "channel_id", "visit_id", "started_at",
    "wait_seconds", "talk_seconds", "outcome", "target_id", "category", "uncertain",
    "basis",
)  # fmt: skip
WAY_CALL_COLUMNS = (*FIRST_CALL_COLUMNS, "direction")  # since 0019
CALL_COLUMNS = (*WAY_CALL_COLUMNS, "spam")  # since 0022
VISIT_COLUMNS = (
    "visitor_id", "site_id", "started_at", "landing_url", "medium", "source", "campaign", "keyword",
    "content", "channel_group", "device", "country",
)  # fmt: skip
# What facts are told by, as columns have it: of these tables, by which the company is known.
NAMES = {
    "companies": ("id", ("timezone",)),
    "channels": ("company_id", ("name", "medium", "source", "campaign", "keyword")),
    "numbers": ("company_id", ("e164",)),
    "sites": ("company_id", ("name",)),
    "tags": ("company_id", ("name",)),
    "targets": ("company_id", ("name",)),
}
_TOLD = "kind = 'leg_ended'"  # of the events
# All days of the company: a name is seldom changed. Who makes a sheet meanwhile finds it gone.
_RENAMED = "DELETE FROM day_sheets WHERE company_id = NEW.{company} AND substr(kind, 1, 5) = 'calls';"


_BOTH = (("added", "INSERT", "NEW"), ("deleted", "DELETE", "OLD"))


def statements(dialect: str, call_columns: tuple[str, ...] = CALL_COLUMNS) -> list[str]:
    """The statements that make the triggers anew; revisions name the columns that calls had then."""
    return list(_sqlite(call_columns) if dialect == "sqlite" else _postgresql(call_columns))


# ---- SQLite ----

# Who writes is alone there: where no sheet is begun yet, the one that will be sees what he wrote. So calls of
# today, of which there is no sheet, note nothing.
_ALONE = """INSERT INTO sheet_changes (company_id, at) SELECT it.company_id, it.started_at FROM ({rows}) AS it
WHERE (SELECT until_at FROM day_sheets WHERE company_id = it.company_id AND since_at <= it.started_at
ORDER BY since_at DESC LIMIT 1) > it.started_at;"""
_ROW = "SELECT {0}.company_id AS company_id, {0}.started_at AS started_at"
_THEIRS = "SELECT company_id, started_at FROM calls WHERE {}"
_VISITORS = (
    "SELECT company_id, {row}.started_at AS started_at FROM visitors WHERE visitors.id = {row}.visitor_id"
)
_VISITS_CALLS = _THEIRS.format("visit_id = NEW.id")
_CHANGED_VISIT = " UNION ".join([_VISITS_CALLS, *(_VISITORS.format(row=row) for row in ("OLD", "NEW"))])


def _sqlite(call_columns: tuple[str, ...]) -> Iterator[str]:
    new, old = _ROW.format("NEW"), _ROW.format("OLD")
    yield from _alone("call_added", "INSERT ON calls", "1", new)
    yield from _alone("call_deleted", "DELETE ON calls", "1", old)
    update = f"UPDATE OF {', '.join(call_columns)} ON calls"
    yield from _alone("call_changed", update, _differ(call_columns), f"{old} UNION {new}")
    yield from _alone(
        "event_added", "INSERT ON call_events", f"NEW.{_TOLD}", _THEIRS.format("id = NEW.call_id")
    )
    yield from _alone(
        "event_deleted", "DELETE ON call_events", f"OLD.{_TOLD}", _THEIRS.format("id = OLD.call_id")
    )
    either, both = f"OLD.{_TOLD} OR NEW.{_TOLD}", _THEIRS.format("id IN (OLD.call_id, NEW.call_id)")
    yield from _alone("event_changed", "UPDATE ON call_events", either, both)
    for name, event, row in _BOTH:
        yield from _alone(f"tag_{name}", f"{event} ON call_tags", "1", _THEIRS.format(f"id = {row}.call_id"))
        yield from _alone(f"visit_{name}", f"{event} ON visits", "1", _VISITORS.format(row=row))
    update = f"UPDATE OF {', '.join(VISIT_COLUMNS)} ON visits"
    yield from _alone("visit_changed", update, _differ(VISIT_COLUMNS), _CHANGED_VISIT)
    for table, (company, columns) in NAMES.items():
        update = f"UPDATE OF {', '.join(columns)} ON {table}"
        yield from _trigger(f"{table}_renamed", update, _differ(columns), _RENAMED.format(company=company))


def _alone(name: str, on: str, when: str, rows: str) -> Iterator[str]:
    return _trigger(name, on, when, _ALONE.format(rows=rows))


def _trigger(name: str, on: str, when: str, body: str) -> Iterator[str]:
    yield f"DROP TRIGGER IF EXISTS sheets_{name}"
    yield f"CREATE TRIGGER sheets_{name} AFTER {on} WHEN {when}\nBEGIN\n{body}\nEND"


def _differ(columns: tuple[str, ...]) -> str:
    return " OR ".join(f"OLD.{each} IS NOT NEW.{each}" for each in columns)


# ---- PostgreSQL ----

# Others write at the same time, and who makes a sheet sees nothing before they commit: everything is noted.
_FUNCTION = """CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{body}
RETURN NULL;
END $$"""
_NOTE = "INSERT INTO sheet_changes (company_id, at) {};"


def _postgresql(call_columns: tuple[str, ...]) -> Iterator[str]:
    both = " UNION ".join(f"SELECT {each}.company_id, {each}.started_at" for each in ("OLD", "NEW"))
    calls = {
        "added": "VALUES (NEW.company_id, NEW.started_at)",
        "deleted": "VALUES (OLD.company_id, OLD.started_at)",
    }
    events = {
        name: _THEIRS.format(f"id = {row}.call_id") for name, row in (("added", "NEW"), ("deleted", "OLD"))
    }
    for name, event, row in _BOTH:
        yield from _shared(f"call_{name}", f"{event} ON calls", "true", calls[name])
        yield from _shared(f"event_{name}", f"{event} ON call_events", f"{row}.{_TOLD}", events[name])
        yield from _shared(f"tag_{name}", f"{event} ON call_tags", "true", events[name])
        yield from _shared(f"visit_{name}", f"{event} ON visits", "true", _VISITORS.format(row=row))
    update = f"UPDATE OF {', '.join(call_columns)} ON calls"
    yield from _shared("call_changed", update, _distinct(call_columns), both)
    either, theirs = f"OLD.{_TOLD} OR NEW.{_TOLD}", _THEIRS.format("id IN (OLD.call_id, NEW.call_id)")
    yield from _shared("event_changed", "UPDATE ON call_events", either, theirs)
    update = f"UPDATE OF {', '.join(VISIT_COLUMNS)} ON visits"
    yield from _shared("visit_changed", update, _distinct(VISIT_COLUMNS), _CHANGED_VISIT)
    for table, (company, columns) in NAMES.items():
        update = f"UPDATE OF {', '.join(columns)} ON {table}"
        body = _RENAMED.format(company=company)
        yield from _function(f"{table}_renamed", update, _distinct(columns), body)


def _shared(name: str, on: str, when: str, rows: str) -> Iterator[str]:
    return _function(name, on, when, _NOTE.format(rows))


def _function(name: str, on: str, when: str, body: str) -> Iterator[str]:
    table = on.rpartition(" ")[2]
    yield _FUNCTION.format(name=f"sheets_{name}", body=body)
    yield f"DROP TRIGGER IF EXISTS sheets_{name} ON {table}"
    yield (
        f"CREATE TRIGGER sheets_{name} AFTER {on} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION sheets_{name}()"
    )


def _distinct(columns: tuple[str, ...]) -> str:
    rows = (", ".join(f"{row}.{each}" for each in columns) for row in ("OLD", "NEW"))
    return " IS DISTINCT FROM ".join(f"ROW({row})" for row in rows)
