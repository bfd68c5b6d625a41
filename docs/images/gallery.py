"""Pictures of every page in light, dark and phone width, and docs/pages.md, which shows them.

The pages are those of the application's own map, so that a new one is in the gallery the next time
`make pictures` runs. WebP, 1x: a reader looks, nobody prints.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.browser import SIZES, open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "images" / "pages"
LOOKS: Mapping[str, dict[str, Any]] = {
    "light": {}, "dark": {"dark": True}, "phone": {"size": "phone"},
}  # fmt: skip
FETCHES = {"/overview", "/reports", "/reports/paths"}  # what they draw by is asked for when the page is there
TALLEST = {"light": 1400, "dark": 1400, "phone": 1600}  # of a picture; a page may go on


def take(browser: Browser, url: str, cookie: str, pages: Mapping[str, str]) -> None:
    """Pictures of the pages, by rule; those of rules that are gone are removed."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.webp"):
        old.unlink()
    titles: dict[str, str] = {}
    for look, how in LOOKS.items():
        page = open_page(browser, url, **how)
        page.context.add_cookies([{"name": "leaseline", "value": cookie, "url": url}])
        for rule, path in pages.items():
            page.goto(path, wait_until="networkidle" if rule in FETCHES else "load")
            titles[rule] = re.sub(r"^\([0-9]+\) ", "", page.title().split(" · ")[0])  # no count of live calls
            (FOLDER / picture(rule, look)).write_bytes(shot(page, look))
        page.context.close()
    (ROOT / "docs" / "pages.md").write_text(text(titles))


def picture(rule: str, look: str) -> str:
    """ "/calls/<key>", "dark" -> "calls-key-dark.webp"."""
    words = "".join(each if each.isalnum() else " " for each in rule).split()
    return "-".join([*words, look]) + ".webp"


def shot(page: Page, look: str) -> bytes:
    """The window as tall as the page, so that what sticks to its edges stands there."""
    width, height = SIZES["phone" if look == "phone" else "desktop"]
    tall = min(TALLEST[look], page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": width, "height": max(height, tall)})
    page.wait_for_timeout(250)  # for pictures only: charts have drawn themselves
    devtools = page.context.new_cdp_session(page)
    taken = devtools.send("Page.captureScreenshot", {"format": "webp", "quality": 70})
    devtools.detach()
    page.set_viewport_size({"width": width, "height": height})
    return base64.b64decode(taken["data"])


def text(titles: Mapping[str, str]) -> str:
    """docs/pages.md."""
    parts = [
        "# Every page",
        "Light, dark, and on a phone, with a showroom's calls. `make pictures` takes them anew; what the\n"
        "pages are for is in [manager.md](manager.md) and [admin.md](admin.md).",
    ]
    for rule, title in titles.items():
        images = [f"![{title}, {look}](images/pages/{picture(rule, look)})" for look in LOOKS]
        parts += [f"## {title}", f"`{rule}`", "\n".join(images)]
    return "\n\n".join(parts) + "\n"
