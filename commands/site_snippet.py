"""How the script gets onto a site's pages, told to whoever looks after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracker.models import Site
    from web.snippet import Snippet

NOT_BUILT = "not yet: the script is not built (`cd web && npm ci && npm run build`)"


def snippet_of(site: Site, web_url: str) -> Snippet:
    """The tags of a site whose swaps are loaded."""
    from web.snippet import snippet_of as made_of

    return made_of(site, web_url)


def is_loopback(web_url: str) -> bool:
    """Whether only this machine itself reaches that address."""
    from web.snippet import is_loopback as is_ours_alone

    return is_ours_alone(web_url)


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
