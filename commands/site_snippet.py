"""What belongs on a site's pages: the tag, and the ways to put it there."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tracker.models import Site

NOT_BUILT = "not yet: the script is not built (`cd web && npm ci && npm run build`)"


class Snippet(NamedTuple):
    """The tag in both its forms, and what a Content-Security-Policy has to allow."""

    snippet: str
    pinned: str | None  # with Subresource Integrity; None while the script is not built
    csp: str


def snippet_of(site: Site, web_url: str) -> Snippet:
    """The tags of a site whose swaps are loaded."""
    from tracker import sites

    parts = urlsplit(web_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return Snippet(
        snippet=sites.snippet(site, web_url),
        pinned=_pinned(site, web_url),
        csp=f"script-src {origin}; connect-src {origin}",
    )


def instructions(snippet: Snippet) -> str:
    """How to put the script on the pages, for whoever looks after them."""
    return f"""\
Into the <head> of every page, as early as possible:

  {snippet.snippet}

Or with Google Tag Manager: Tags, New, Custom HTML; paste that very line; leave "Support document.write" off;
trigger "Initialization - All Pages"; Submit, Publish. Consent Mode is read by the script itself: under
Consent Settings choose "No additional consent required".

If the pages have a Content-Security-Policy, add to it (nothing inline, no eval, no styles are needed):

  {snippet.csp}

With Subresource Integrity, for pages that may load only what was looked at. This address changes with every
change of the site's numbers or domains and with every new Leaseline; the old one then answers 404, so that
the pages show the company's own number until the tag is changed:

  {snippet.pinned or NOT_BUILT}

Then see whether it works: leaseline site check ADDRESS"""


def is_loopback(web_url: str) -> bool:
    """Whether only this machine itself reaches that address."""
    host = urlsplit(web_url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _pinned(site: Site, web_url: str) -> str | None:
    from tracker.errors import Rejected
    from web.assets import Assets
    from web.script import text_of

    try:
        text = text_of(site, Assets.read())
    except Rejected:
        return None
    source = f"{web_url.rstrip('/')}/s/{site.key}.{text.version}.js"
    return f'<script async src="{source}" integrity="{text.integrity}" crossorigin="anonymous"></script>'
