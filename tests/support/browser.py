"""The page as a person meets it: granian on a free port, and Debian's Chromium in front of it.

with serving(settings) as url: ...             # the real server process, ready when the block begins
page = open_page(browser, url, dark=True)      # collects console errors, CSP violations, failed requests
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright
from support.books import KEY
from support.ports import free_port

from tracker.settings import CHECKOUT, Settings

CHROMIUM = Path("/usr/bin/chromium")
AXE = CHECKOUT / "web" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desktop": (1360, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module; each page has a fresh profile."""
    assert CHROMIUM.exists(), f"{CHROMIUM} is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


@contextmanager
def serving(settings: Settings, port: int | None = None) -> Iterator[str]:
    """`leaseline web` of these settings as a process of its own; its address."""
    port = port or free_port()
    log = settings.home / "web.log"
    environ = {key: value for key, value in os.environ.items() if not key.startswith("LEASELINE_")} | {
        "LEASELINE_HOME": str(settings.home),
        "LEASELINE_DATABASE_URL": settings.database_url,
        "LEASELINE_SECRET_KEY": settings.secret_key or KEY,
        "LEASELINE_WEB_PORT": str(port),
        "LEASELINE_RECORDING_COPIES": ",".join(settings.recording_copies),
        "LEASELINE_API_PER_MINUTE": str(settings.api_per_minute),
    }
    program = "import os, web; from tracker.settings import read_settings; web.run(read_settings(os.environ))"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", program], cwd=CHECKOUT, env=environ, stdout=out, stderr=out
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(15)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


def open_page(browser: Browser, base: str, *, size: str = "desktop", dark: bool = False) -> Page:
    """A page with a fresh profile; what its console complains of is kept in `complaints(page)`."""
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=base,
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        has_touch=size == "phone",
        is_mobile=size == "phone",
        device_scale_factor=2 if size == "phone" else 1,
        reduced_motion="reduce",
        locale="en-GB",
    )
    page = context.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))

    def refuse(dialog: Dialog) -> None:
        heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", refuse)
    page.__dict__["complaints"] = heard
    return page


def complaints(page: Page) -> list[str]:
    """Console errors (a CSP violation is one), uncaught exceptions and dialogs so far."""
    found: list[str] = page.__dict__["complaints"]
    return found


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is, one line a violation."""
    assert AXE.exists(), f"{AXE} is missing: cd web && npm ci"
    page.evaluate(AXE.read_text())
    result: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]
