"""A program that uses the API with a key.

crm = program(site, Scope.SETTINGS_READ)
crm.get("/channels", limit=2).json
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from support.recorded import settings_in
from support.showroom import DAY, Told, furnish
from support.site import Site
from werkzeug.exceptions import HTTPException

from tracker import api_keys
from tracker.audit import By
from tracker.database import Database
from tracker.models import Company
from tracker.policy.rights import Scope
from web.rest.operation import operation_of


@dataclass(frozen=True)
class Program:
    """Paths are below /api/v1; bodies are told as JSON, or sent as they are where they are bytes."""

    browser: FlaskClient
    key: str
    company_id: int

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
        told = {"Authorization": f"Bearer {self.key}"} | (headers or {})
        answer = self.browser.open("/api/v1" + path, method=method, headers=told, **more)
        self._check(method, path, answer)
        return answer

    def _check(self, method: str, path: str, answer: Any) -> None:
        """What is answered is what the operation declares: a field too many or too few fails the test."""
        urls = self.browser.application.url_map.bind("localhost")
        try:
            endpoint, _ = urls.match("/api/v1" + path.split("?", maxsplit=1)[0], method)
        except HTTPException:
            return
        it = operation_of(self.browser.application.view_functions[endpoint])
        if it is not None and it.answer is not None and answer.status_code == it.status:
            it.answer.model_validate_json(answer.data, strict=True)

    def get(self, path: str, *, headers: dict[str, str] | None = None, **words: Any) -> Any:
        return self.ask("GET", path, headers, query_string=words)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        return self.ask("POST", path, headers, **_body(body))

    def put(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        return self.ask("PUT", path, headers, **_body(body))

    def patch(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        return self.ask("PATCH", path, headers, **_body(body))

    def delete(self, path: str, headers: dict[str, str] | None = None) -> Any:
        return self.ask("DELETE", path, headers)

    def company(self, session: Session) -> Company:
        return session.get_one(Company, self.company_id)


def furnished(database: Database, folder: Path, now: datetime, calls: tuple[Told, ...] = DAY) -> Site:
    """Pallets (1) with these calls, whose keys are the application's `KEYS`, and a rival (2) with nothing."""
    settings = settings_in(folder, secret_key="k" * 40)
    room = furnish(database, settings, now, calls)
    with database.write() as session:
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    site = Site(database, settings, now)
    site.app.config.update(ROOM=room, KEYS=room.keys)
    return site


def program(site: Site, *scopes: Scope, name: str = "crm", company_id: int = 1) -> Program:
    """A program with a new key of that company."""
    with site.database.write() as session:
        by, company = By(site.now, "cli:root"), session.get_one(Company, company_id)
        _, token = api_keys.add_key(session, by, company, name, scopes)
    return Program(site.app.test_client(), token, company_id)


def _body(body: Any) -> dict[str, Any]:
    if isinstance(body, bytes):
        return {"data": body, "content_type": "application/json"}
    return {"json": body}
