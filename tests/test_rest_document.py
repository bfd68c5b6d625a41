"""The API's document against the running page: schemathesis asks what it allows, and what it does not.

For every operation: examples, every bound of every word and field, random good and bad requests, and chains
of operations that follow from one another. No answer may be an error of ours, none may be undocumented.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.browser import serving
from support.served import books_in
from support.showroom import furnish

from tracker import api_keys
from tracker.audit import By
from tracker.models import Company
from tracker.policy.rights import Scope

# Not `ignored_auth`: who guesses keys is braked (429); test_rest asks with a wrong scope everywhere. Not
# `allow_header_conformance`: /calls/judge is /calls/<key> to who asks what else could be done there.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,missing_required_header,"
    "unsupported_method,use_after_free,ensure_resource_availability"
)
# There a POST is the website script's, which is no operation.
CONFIGURATION = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429]

[[operations]]
include-path = "/api/v1/visits"
phases.coverage.unexpected-methods = ["put", "patch", "delete"]
"""
# What would end the test's own key.
SPARED = ("rest_keys_revoke_key",)


@pytest.mark.timeout(600)
def test_no_request_that_the_document_allows_or_forbids_breaks_anything(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with books_in(tmp_path) as (settings, database):
        furnish(database, settings, now)
        with database.write() as session:
            company = session.get_one(Company, 1)
            _, key = api_keys.add_key(session, By(now, "cli:root"), company, "tester", frozenset(Scope))
        (tmp_path / "st.toml").write_text(CONFIGURATION)
        with serving(replace(settings, api_per_minute=0)) as url:
            done = subprocess.run(
                [
                    Path(sys.executable).with_name("st"), "--config-file=st.toml", "run",
                    f"{url}/api/v1/openapi.json", f"--url={url}", f"--checks={CHECKS}",
                    f"--header=Authorization: Bearer {key}",
                    "--max-examples=5", "--seed=1", "--continue-on-failure", "--no-color", "--no-shrink",
                    "--generation-database=none", "--warnings=off", "--suppress-health-check=all",
                    *(f"--exclude-operation-id={it}" for it in SPARED),
                ],
                cwd=tmp_path, capture_output=True, text=True, check=False,
            )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "No issues found" in done.stdout
