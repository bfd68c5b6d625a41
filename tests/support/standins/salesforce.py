"""An organisation of Salesforce: tokens that end, records that are made, queries that find them."""

from __future__ import annotations

import re
from typing import Any

from support.standin import Asked, Said
from support.standins.double import Double

API = "/services/data/v62.0"
TASK = f"{API}/sobjects/Task"


def refused(word: str, message: str, status: int = 400, to: str = "") -> Said:
    return Said(status, [{"message": message, "errorCode": word, "fields": []}], to=to)


class Org(Double):
    refusal = refused("STRING_TOO_LONG", "Subject: data value too large", to=TASK)
    sees_duplicates = True

    def __init__(self) -> None:
        super().__init__()
        self.tokens = 0
        self.ended: set[str] = set()
        self.grants: list[str] = []
        self.tasks: list[dict[str, Any]] = []
        self.people: dict[str, str] = {}  # ids by the numbers' last ten digits
        self.leads: list[dict[str, Any]] = []

    def values(self, url: str) -> dict[str, str]:
        return {
            "address": url, "client_id": "3MVG9.consumer", "client_secret": "s3cr3t-of-salesforce",
            "refresh_token": "5Aep861-refresh",
        }  # fmt: skip

    def answer(self, asked: Asked) -> Said:
        if asked.path == "/services/oauth2/token":
            return self._token(asked.form())
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token != f"00D-access-{self.tokens}" or token in self.ended:
            return refused("INVALID_SESSION_ID", "Session expired or invalid", 401)
        does = {
            TASK: self._task, f"{API}/sobjects/Lead": self._lead, f"{API}/query/": self._query,
            f"{API}/search/": self._search,
        }.get(asked.path)  # fmt: skip
        return does(asked) if does else refused("NOT_FOUND", "The requested resource does not exist", 404)

    def _token(self, form: dict[str, str]) -> Said:
        good = form.get("refresh_token", "5Aep861-refresh") == "5Aep861-refresh"
        if form["client_secret"] != "s3cr3t-of-salesforce" or not good:
            return Said(400, {"error": "invalid_grant", "error_description": "expired access/refresh token"})
        self.grants.append(form["grant_type"])
        self.tokens += 1
        return Said(200, {"access_token": f"00D-access-{self.tokens}", "token_type": "Bearer"})

    def _task(self, asked: Asked) -> Said:
        told = asked.json()
        if told.get("Status") != "Completed" or "Subject" not in told:
            return refused("REQUIRED_FIELD_MISSING", "Required fields are missing: [Status]")
        self.tasks.append(told)
        self.taken.append(told["CallObject"])
        return Said(201, {"id": f"00T{len(self.tasks)}", "success": True, "errors": []})

    def _lead(self, asked: Asked) -> Said:
        told = asked.json()
        if not told.get("LastName") or not told.get("Company"):
            return refused("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]")
        self.leads.append(told)
        self.people[told["Phone"][-10:]] = f"00Q{len(self.leads)}"
        return Said(201, {"id": f"00Q{len(self.leads)}", "success": True, "errors": []})

    def _query(self, asked: Asked) -> Said:
        found = re.fullmatch(r"SELECT Id FROM Task WHERE CallObject = '(.*)' LIMIT 1", asked.query["q"])
        if found is None:
            return refused("MALFORMED_QUERY", "unexpected token")
        rows = [{"Id": f"00T{at}"} for at, it in enumerate(self.tasks, 1) if it["CallObject"] == found[1]]
        return Said(200, {"totalSize": len(rows), "done": True, "records": rows})

    def _search(self, asked: Asked) -> Said:
        found = re.match(r"FIND \{(\d+)\} IN PHONE FIELDS RETURNING ", asked.query["q"])
        who = self.people.get(found[1]) if found else None
        return Said(200, {"searchRecords": [{"Id": who}] if who else []})
