"""What a user agent says of its device, and whether it is a person's browser at all.

A user agent is a stranger's text: only its beginning is looked at, and what was found is remembered, because
few different ones make up most of the traffic.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import crawleruseragents
import ua_parser

Device = Literal["phone", "tablet", "desktop", "other"]

LONGEST_AGENT = 512  # characters that are looked at
REMEMBERED = 2048  # user agents
LONGEST_NAME = 60

# ua-parser names the same browser by where it runs; reports are about the browser.
_BROWSERS = {
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Android WebView",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "iOS WebView",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Edge Mobile": "Edge",
    "Opera Mobile": "Opera",
}
# In-app browsers that ua-parser takes for a plain web view.
_APPS = (
    ("VKAndroidApp", "VK"),
    ("VK/", "VK"),
    ("Telegram", "Telegram"),
    ("GSA/", "Google app"),
    ("YandexSearch", "Yandex app"),
    ("OKApp", "OK"),
    ("musical_ly", "TikTok"),
    ("BytedanceWebview", "TikTok"),
    ("Viber", "Viber"),
)
_WITHOUT_VERSION = {"macOS", "Linux", "Ubuntu", "Fedora", "ChromeOS"}  # frozen, or of no meaning to a report
_DESKTOPS = {"Windows", "macOS", "Linux", "Ubuntu", "Fedora", "ChromeOS", "FreeBSD", "OpenBSD"}
_TABLET = re.compile(r"iPad|Tablet|\bTab\b|\bSM-[TX]\d|\bKF[A-Z]{2,}|Silk/|PlayBook", re.IGNORECASE)
_PHONE = re.compile(r"iPhone|iPod|Mobile|\bPhone\b|KAIOS|Opera Mini", re.IGNORECASE)
_NEITHER = re.compile(
    r"\bTV\b|SmartTV|SMART-TV|HbbTV|AppleTV|BRAVIA|\bAFT[A-Z]|CrKey|PlayStation|Xbox|Nintendo|Watch"
)
_AHEAD = {"sec-purpose", "purpose", "x-purpose", "x-moz"}  # a page is fetched that nobody looks at yet
_AHEAD_WORDS = ("prefetch", "prerender", "preview")


class Headers(Protocol):
    """A request's headers: a dict, or whatever the web framework has."""

    def items(self) -> Iterable[tuple[str, str]]: ...


@dataclass(frozen=True)
class Agent:
    """A device with its system and browser, each with its major version: "iOS 17", "Chrome 131"."""

    device: Device
    system: str | None
    browser: str | None


def read_agent(agent: str | None) -> Agent:
    """What that user agent runs on.

    An iPad asks for desktop pages unless told otherwise, and then calls itself a Mac: it is a desktop here.
    """
    return _read((agent or "")[:LONGEST_AGENT])


def is_bot(agent: str | None, headers: Headers) -> bool:
    """Whether nobody is looking: a crawler, a headless browser, no user agent, a page fetched ahead."""
    return not (agent or "").strip() or _is_crawler(str(agent)[:LONGEST_AGENT]) or _is_ahead(headers)


@functools.lru_cache(REMEMBERED)
def _is_crawler(agent: str) -> bool:
    return bool(crawleruseragents.is_crawler(agent))


def _is_ahead(headers: Headers) -> bool:
    told = (str(value).lower() for name, value in headers.items() if name.lower() in _AHEAD)
    return any(word in value for value in told for word in _AHEAD_WORDS)


@functools.lru_cache(REMEMBERED)
def _read(agent: str) -> Agent:
    parsed = ua_parser.parse(agent)
    family, major = _system(parsed.os, agent)
    return Agent(_device(family, agent), _named(family, major), _browser(parsed.user_agent, agent))


def _system(found: Any, agent: str) -> tuple[str | None, str | None]:
    family, major = (found.family, found.major) if found else (None, None)
    if family in {None, "Linux"} and "OpenHarmony" in agent:
        version = re.search(r"OpenHarmony (\d+)", agent)
        return "HarmonyOS", version[1] if version else None
    if family == "Mac OS X":
        return "macOS", None
    if family == "iOS" and "iPad" in agent and (major or "").isdigit() and int(major or 0) >= 13:
        return "iPadOS", major
    return ("ChromeOS" if family == "Chrome OS" else family), major


def _browser(found: Any, agent: str) -> str | None:
    app = next((name for mark, name in _APPS if mark in agent), None)
    if app:
        return app
    if found is None:
        return None
    return _named(_BROWSERS.get(found.family, found.family), found.major)


def _named(family: str | None, major: str | None) -> str | None:
    if not family:
        return None
    whole = f"{family} {major}" if major and family not in _WITHOUT_VERSION else family
    return whole[:LONGEST_NAME]


def _device(system: str | None, agent: str) -> Device:
    if _NEITHER.search(agent):
        return "other"
    if _TABLET.search(agent):
        return "tablet"
    if _PHONE.search(agent):
        return "phone"
    if system == "Android":  # Google's rule: a phone says Mobile
        return "tablet"
    return "desktop" if system in _DESKTOPS else "other"
