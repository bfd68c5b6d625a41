"""Values as a spreadsheet takes them: no cell is ever a formula, telephone numbers stay what they are."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

_NUMBER = re.compile(r"\+[0-9]+")


def cell(value: Any) -> Any:
    """A cell of CSV that no spreadsheet takes for a formula: visitors' words begin with whatever they like.

    Telephone numbers, a + and digits, stay as they are.
    """
    if isinstance(value, datetime):
        return plain(value)
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, list | tuple):
        value = ", ".join(str(each) for each in value)
    if isinstance(value, str) and value.startswith(tuple("=+-@\t\r\0")) and not _NUMBER.fullmatch(value):
        return "'" + value
    return value


def plain(value: Any) -> str:
    """Instants in ISO 8601, UTC, with milliseconds; anything else as it says itself."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
