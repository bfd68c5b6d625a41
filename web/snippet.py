"""What belongs on a site's pages: the tag in both its forms, and what a policy has to allow."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

from tracker import sites
from tracker.errors import Rejected
from tracker.models import Site
from web.assets import Assets
from web.script import text_of


class Snippet(NamedTuple):
    """The tag in both its forms, and what a Content-Security-Policy has to allow."""

    snippet: str
    pinned: str | None  # with Subresource Integrity; None while the script is not built
    csp: str


def snippet_of(site: Site, web_url: str) -> Snippet:
    """The tags of a site whose swaps are loaded."""
    parts = urlsplit(web_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return Snippet(
        snippet=sites.snippet(site, web_url),
        pinned=_pinned(site, web_url),
        csp=f"script-src {origin}; connect-src {origin}",
    )


def is_loopback(web_url: str) -> bool:
    """Whether only this machine itself reaches that address."""
    host = urlsplit(web_url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _pinned(site: Site, web_url: str) -> str | None:
    try:
        text = text_of(site, Assets.read())
    except Rejected:
        return None
    source = f"{web_url.rstrip('/')}/s/{site.key}.{text.version}.js"
    return f'<script async src="{source}" integrity="{text.integrity}" crossorigin="anonymous"></script>'
