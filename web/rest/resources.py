"""Every blueprint of the API that is made of operations. A resource is one file and one line here."""

from __future__ import annotations

from web.rest import about, callrail, channels

BLUEPRINTS = (about.api, callrail.api, channels.api)
