"""A program each of whose answers is held against the document of the API, as it is served.

crm = checked(program(site, *Scope))
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import sqlalchemy as sa
from support.command import Installation
from support.rest import Program
from support.site import Site

import migrations
from tracker.models import AuditEntry


class Checked(Program):
    """Fails at an answer that the document does not tell of, or tells of otherwise."""

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
        answer = super().ask(method, path, headers, **more)
        document = self._document()
        told = self._operation(document, method, path)["responses"]
        assert str(answer.status_code) in told, (method, path, answer.status_code, answer.text)
        content = told[str(answer.status_code)].get("content")
        if content is None:
            assert answer.data == b"", (method, path)
        elif "application/json" in content:
            schema = content["application/json"]["schema"] | {"components": document["components"]}
            jsonschema_rs.validate(schema, json.loads(answer.data))
        return answer

    def _document(self) -> Any:
        """Of the first application in this run: all have the same routes, and to make it takes a while."""
        if not _DOCUMENT:
            _DOCUMENT.update(self.browser.get("/api/v1/openapi.json").json or {})
        return _DOCUMENT

    def _operation(self, document: Any, method: str, path: str) -> Any:
        urls = self.browser.application.url_map.bind("localhost")
        rule, _ = urls.match("/api/v1" + path.split("?", maxsplit=1)[0], method, return_rule=True)
        return document["paths"][rule.rule.replace("<", "{").replace(">", "}")][method.lower()]


_DOCUMENT: dict[str, Any] = {}


def checked(crm: Program) -> Program:
    """The same program, whose answers are checked."""
    return Checked(crm.browser, crm.key, crm.company_id)


def cli(site: Site, folder: Path, *words: str) -> Any:
    """What the command line says in JSON about the same books."""
    with site.database.engine.begin() as connection:  # books for tests are made without a revision
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("DELETE FROM alembic_version")
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{migrations.head()}')")
    url = site.database.url.render_as_string(hide_password=False)
    here = Installation(folder / "cli", {"LEASELINE_DATABASE_URL": url})
    return json.loads(here.done(*words, "--company", "pallets", "--json"))


def made(crm: Program, path: str, body: Any) -> str:
    """Adds a thing, and says where it is from now on."""
    answer = crm.post(path, body)
    assert answer.status_code == 201, answer.text
    place: str = answer.headers["Location"].removeprefix("/api/v1")
    return place


def refused(answer: Any) -> tuple[int, str]:
    """Status and id of the refusal."""
    return answer.status_code, answer.json["error"]["id"]


def acts(site: Site) -> list[str]:
    """What the program did, as the audit log has it."""
    with site.database.read() as session:
        acted = sa.select(AuditEntry.action).where(AuditEntry.actor == "key:crm").order_by(AuditEntry.id)
        return list(session.scalars(acted))
