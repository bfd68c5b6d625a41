"""Folders in which phone systems leave their call records: which they are, how they are read, how far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.companies import read_timezone
from tracker.errors import Rejected
from tracker.models import CallFolder, Company
from tracker.policy.cdr import check_chosen, preset_of
from tracker.policy.dates import Order
from tracker.policy.phone import read_number
from tracker.policy.reported_calls import read_system


def add_folder(
    session: Session, by: By, company: Company, system: str, folder: Path, *, preset: str,
    files: str = "*.csv", columns: Mapping[str, str] | None = None, zone: str | None = None,
    dates: Order | None = None, did: str | None = None,
) -> CallFolder:  # fmt: skip
    """From now on the worker reads that folder. Raises Rejected system.*, folder.*, preset.unknown, ….

    What is in it already is read as well.
    """
    name = read_system(system)
    if find(session, company, name):
        raise Rejected(
            "system.duplicate",
            "The folder of %(name)r is read already",
            "Remove it first: `leaseline import unwatch %(name)s`",
            name=name,
        )
    if not folder.is_absolute() or len(str(folder)) > 500 or not folder.is_dir():
        raise Rejected(
            "folder.unknown", "There is no folder %(folder)s", "Give its whole path", folder=str(folder)[:200]
        )
    if "/" in files or not 1 <= len(files) <= 100 or not files.isprintable():
        raise Rejected(
            "folder.files", "%(files)r is no pattern of file names", "Give one like *.csv", files=files[:60]
        )
    check_chosen(columns or {})
    row = CallFolder(
        company_id=company.id,
        system=name,
        folder=str(folder),
        files=files,
        preset=preset_of(preset).name,
        columns=dict(columns or {}),
        zone=read_timezone(zone) if zone else None,
        dates=dates.value if dates else None,
        did=read_number(did, company.default_region) if did else None,
        created_at=by.at,
    )
    session.add(row)
    session.flush()
    detail = {"folder": row.folder, "files": files, "preset": row.preset}
    by.note(session, "watch.add", company.id, subject=name, detail=detail)
    return row


def remove_folder(session: Session, by: By, company: Company, system: str) -> None:
    """From now on nobody reads it; its calls stay. Raises Rejected system.unknown."""
    row = find(session, company, system.strip())
    if row is None:
        raise Rejected(
            "system.unknown",
            "No folder of %(name)r is read",
            "See `leaseline import watched`",
            name=system[:40],
        )
    session.delete(row)
    by.note(session, "watch.remove", company.id, subject=row.system)
    session.flush()


def list_folders(session: Session, company: Company) -> Sequence[CallFolder]:
    """The company's folders by the system's name."""
    wanted = sa.select(CallFolder).where(CallFolder.company_id == company.id)
    return session.scalars(wanted.order_by(CallFolder.system)).all()


def find(session: Session, company: Company, system: str) -> CallFolder | None:
    """The company's folder of that system."""
    wanted = sa.select(CallFolder).where(CallFolder.company_id == company.id, CallFolder.system == system)
    return session.scalars(wanted).one_or_none()


def describe_folder(it: CallFolder) -> dict[str, Any]:
    """A folder as JSON, with what became of its lines."""
    return {
        "system": it.system,
        "folder": it.folder,
        "files": it.files,
        "preset": it.preset,
        "columns": it.columns,
        "zone": it.zone,
        "did": it.did,
        "calls": it.calls,
        "left_out": it.left_out,
        "bad": it.bad,
        "doubtful": it.doubtful,
        "not_entered": it.strange,
        "read_at": it.read_at,
        "problem": it.problem,
    }
