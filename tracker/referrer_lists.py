"""Importing Matomo's lists of search engines, social networks and AI assistants.

They are public domain: https://github.com/matomo-org/searchengine-and-social-list. SearchEngines.yml has a
list of mappings (`urls`, `params`) for every name, Socials.yml and AIAssistants.yml a list of hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import unquote

import sqlalchemy as sa
import yaml
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Referrer
from tracker.policy.entries import count_of
from tracker.policy.referrers import Kind, KnownHost

LARGEST_FILE = 2_000_000  # bytes; Matomo's largest has 45,000
# What may be imported. Where lists disagree about a host, the more particular kind counts, not the last file.
KINDS = (Kind.AI, Kind.SOCIAL, Kind.EMAIL, Kind.SEARCH)
_LABEL = r"(?:[\w-]{1,63}|\{\})"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})+(?:/[\x21-\x7e]*)?")
_TOO_WIDE = re.compile(r"\{\}(?:\.[^./]+)?(?:/.*)?")
_NEEDLESS = re.compile(r"^(?:[a-z-]+:?//)?(?:www\.)?")


@dataclass(frozen=True)
class BadEntry:
    """What is wrong with an entry of a list, and where it stands."""

    file: str
    name: str
    problem: str


class BadEntries(Exception):
    """Lists with mistakes: every one of them by name. Nothing of them is stored."""

    def __init__(self, problems: Sequence[BadEntry]) -> None:
        super().__init__(f"{count_of(len(problems), 'bad entry', 'bad entries')}; nothing was imported")
        self.problems = problems


@dataclass(frozen=True)
class Imported:
    """What an import did to one kind of hosts."""

    kind: Kind
    hosts: int
    added: int
    changed: int
    removed: int


def read_list(content: bytes, file: str, kind: Kind | None = None) -> list[KnownHost | BadEntry]:
    """The hosts of one of Matomo's files, and what is wrong with it.

    The kind is that of the file's name ("Socials.yml") unless given. Raises Rejected: source.list.
    """
    if len(content) > LARGEST_FILE:
        raise _no_list(file, f"is larger than {LARGEST_FILE // 1_000_000} MB")
    try:
        data = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise _no_list(file, f"is no YAML: {' '.join(str(problem).split())[:200]}") from None
    if not isinstance(data, dict) or not data:
        raise _no_list(file, "is no list of names with their hosts")
    kind = kind or _kind_of(file, data)
    return [found for name, entries in data.items() for found in _read_entry(file, str(name), entries, kind)]


def import_hosts(session: Session, by: By, found: Iterable[KnownHost | BadEntry]) -> list[Imported]:
    """Make the imported hosts of these kinds be exactly these. All or nothing: raises BadEntries.

    Importing the same again changes nothing.
    """
    found = list(found)
    bad = [each for each in found if isinstance(each, BadEntry)]
    if bad:
        raise BadEntries(bad)
    hosts = [each for each in found if isinstance(each, KnownHost)]
    kinds = [kind for kind in KINDS if any(each.kind is kind for each in hosts)]
    return _replace(session, by, kinds, hosts)


def forget(session: Session, by: By) -> int:
    """Drop everything that was imported; how many hosts that was."""
    count = session.scalar(sa.select(sa.func.count(Referrer.id))) or 0
    session.execute(sa.delete(Referrer))
    by.note(session, "source.referrers.forget", detail={"hosts": count})
    return count


def _replace(session: Session, by: By, kinds: Sequence[Kind], hosts: Sequence[KnownHost]) -> list[Imported]:
    rows = {row.host: row for row in session.scalars(sa.select(Referrer))}
    kept = {host: row for host, row in rows.items() if row.kind not in kinds}
    wanted = _settled(hosts, {host: Kind(row.kind) for host, row in kept.items()})
    added, changed, removed = (dict.fromkeys(KINDS, 0) for _ in range(3))
    for host, row in rows.items():
        if host not in kept and host not in wanted:
            session.delete(row)
            removed[Kind(row.kind)] += 1
    for host, each in wanted.items():
        if host not in rows:
            session.add(_row(each, by))
            added[each.kind] += 1
        elif _row_says(row := rows[host]) != each:
            row.kind, row.name, row.parameters = each.kind.value, each.name, list(each.parameters)
            row.imported_at = by.at
            changed[each.kind] += 1
    session.flush()
    counts = [
        Imported(
            kind,
            sum(each.kind is kind for each in wanted.values()),
            added[kind],
            changed[kind],
            removed[kind],
        )
        for kind in kinds
    ]
    by.note(session, "source.referrers.import", detail={each.kind.value: each.hosts for each in counts})
    return counts


def _settled(hosts: Iterable[KnownHost], kept: dict[str, Kind]) -> dict[str, KnownHost]:
    """One entry a host: of the most particular kind, there the first; none where a kept row knows better."""
    wanted: dict[str, KnownHost] = {}
    for each in sorted(hosts, key=lambda each: KINDS.index(each.kind)):
        other = kept.get(each.host)
        if other is None or KINDS.index(each.kind) < KINDS.index(other):
            wanted.setdefault(each.host, each)
    return wanted


def _row(each: KnownHost, by: By) -> Referrer:
    return Referrer(
        kind=each.kind.value,
        name=each.name,
        host=each.host,
        parameters=list(each.parameters),
        imported_at=by.at,
    )


def _row_says(row: Referrer) -> KnownHost:
    return KnownHost(Kind(row.kind), row.name, row.host, tuple(row.parameters))


def _kind_of(file: str, data: dict[Any, Any]) -> Kind:
    """By content for search engines, else by the file's name."""
    if any(
        isinstance(each, dict) for entries in data.values() if isinstance(entries, list) for each in entries
    ):
        return Kind.SEARCH
    name = file.lower()
    for mark, kind in (
        ("social", Kind.SOCIAL),
        ("assistant", Kind.AI),
        ("mail", Kind.EMAIL),
        ("search", Kind.SEARCH),
    ):
        if mark in name:
            return kind
    raise _no_list(file, "does not say what it lists")


def _read_entry(file: str, name: str, entries: Any, kind: Kind) -> Iterator[KnownHost | BadEntry]:
    title = unquote(name).strip()
    if not 1 <= len(title) <= 100 or not title.isprintable():
        yield BadEntry(file, name[:60], "the name has to be 1 to 100 printable characters")
    elif not isinstance(entries, list):
        yield BadEntry(file, title, "has no list of hosts")
    else:
        for entry in entries:
            yield from _read_hosts(file, title, entry, kind)


def _read_hosts(file: str, name: str, entry: Any, kind: Kind) -> Iterator[KnownHost | BadEntry]:
    given = entry if isinstance(entry, dict) else {"urls": [entry]}
    urls, params = given.get("urls"), given.get("params") or []
    if not _are_words(urls) or not _are_words(params):
        yield BadEntry(file, name, "hosts, `urls` and `params` have to be lists of words")
        return
    # Some parameters are patterns for the path, /s\/([^\/]+)/: browsers send no path any more.
    parameters = tuple(each[:64] for each in params if not each.startswith("/"))
    for url in urls:
        host = _NEEDLESS.sub("", url.strip().lower()).rstrip("/")
        if len(host) > 200 or not _HOST.fullmatch(host) or _TOO_WIDE.fullmatch(host):
            yield BadEntry(file, name, f"{url[:60]!r} is no host")
        else:
            yield KnownHost(kind, name, host, parameters)


def _are_words(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _no_list(file: str, why: str) -> Rejected:
    fix = "Give Matomo's SearchEngines.yml, Socials.yml or AIAssistants.yml; for another file say --kind"
    return Rejected("source.list", f"{file} {why}", fix)
