"""Kinds of day sheets that hold columns, and what stands for them in the sheet itself: a digest of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from sqlalchemy.orm import Session

from tracker.models import Company
from tracker.policy.columns import Column, Ints, read, read_numbers
from tracker.policy.sheets import Interval

# The columns of a company's facts of some time, out of the books.
Make = Callable[[Session, Company, Interval, Collection[str]], Mapping[str, bytes]]


@dataclass(frozen=True)
class Kind:
    """A kind of sheets; `numbers` are the columns that have no words, `key` one that is always read."""

    name: str
    numbers: Collection[str]
    key: str
    make: Make
    first_at: Callable[[Session, int], datetime | None]  # when a company's first fact was

    def parsed(self, columns: Mapping[str, bytes]) -> dict[str, Column | Ints]:
        """The columns by their names, out of their bytes."""
        return {
            name: read_numbers(data) if name in self.numbers else read(data) for name, data in columns.items()
        }


def name_of(kind: str, columns: Iterable[str]) -> str:
    """Of a kind of sheets with these columns: with others it has another name, and is made anew."""
    return f"{kind}-{crc32(' '.join(columns).encode()):08x}"


def digest(columns: Mapping[str, bytes]) -> str:
    """In few bytes what the columns say: what stands in the sheet itself."""
    return json.dumps({name: digest_of(data) for name, data in sorted(columns.items())})


def digests(sheet: str) -> dict[str, str]:
    """What `digest` says of each column."""
    found: dict[str, str] = json.loads(sheet)
    return found


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
