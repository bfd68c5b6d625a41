"""Yandex.Metrica's upload of calls: counts the rows that it understands, and knows no row again."""

from __future__ import annotations

import csv
import io
import threading
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from support.standin import Asked, Said
from support.standins.double import Double

TOKEN = "y0_s3cr3t-of-metrica"
PLACE = "/management/v1/counter/12345678/offline_conversions/"
IDS = ("ClientId", "UserId", "Yclid")


def invalid(text: str, kind: str = "invalid_parameter", status: int = 400) -> Said:
    return Said(status, {"errors": [{"error_type": kind, "message": text}], "code": status, "message": text})


class Counter(Double):
    refusal = invalid("The file is malformed")
    refusals = 2  # of the file, then of its first half
    needs_consent = "analytics"
    closes_days = 21

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, str]] = []
        self.uploads: list[dict[str, Any]] = []
        self.hangs: threading.Event | None = None  # takes an upload, and does not say so

    def values(self, url: str) -> dict[str, str]:
        return {"counter_id": "12345678", "token": TOKEN, "goal": "Звонок", "address": url}

    def answer(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != f"OAuth {TOKEN}":
            return invalid("Invalid oauth_token", "invalid_token", 403)
        if asked.path == f"{PLACE}calls_uploadings":
            return Said(200, {"uploadings": self.uploads})
        if asked.path != f"{PLACE}upload_calls" or asked.method != "POST":
            return invalid("Entity not found", "not_found", 404)
        return self._upload(asked)

    def _upload(self, asked: Asked) -> Said:
        rows = rows_of(asked)
        if not rows or sum(name in IDS for name in rows[0]) != 1 or "DateTime" not in rows[0]:
            return invalid("Required columns are missing")
        valid = [row for row in rows if is_valid(row)]
        static = sum(row["StaticCall"] == "1" for row in valid)
        upload = {
            "id": len(self.uploads) + 1, "source_quantity": len(rows), "line_quantity": len(valid),
            "comment": asked.query["comment"], "status": "UPLOADED", "static_calls_quantity": static,
            "dynamic_calls_quantity": len(valid) - static,
        }  # fmt: skip
        self.uploads.append(upload)
        self.rows += valid
        self.taken += [row["CallTrackerURL"].rpartition("/")[2] for row in valid]
        return Said(200, {"uploading": upload}, pause=self.hangs)


def rows_of(asked: Asked) -> list[dict[str, str]]:
    """The rows of the form's file."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser(EmailMessage, policy=policy.HTTP).parsebytes(head + asked.body)
    (part,) = form.iter_parts()
    assert part.get_param("name", header="content-disposition") == "file"
    return list(csv.DictReader(io.StringIO(part.get_content())))


def is_valid(row: dict[str, str]) -> bool:
    value = next(row[name] for name in IDS if name in row)
    numbers = [row["DateTime"], row["TalkDuration"], row["HoldDuration"]]
    known = value.isdecimal() or row["StaticCall"] == "1"
    return known and bool(value) and all(number.isdecimal() for number in numbers)
