"""Every blueprint of the API that is made of operations. A resource is one file and one line here."""

from __future__ import annotations

from web.rest import about, calls, channels, judging, recordings

BLUEPRINTS = (about.api, channels.api, calls.api, judging.api, recordings.api)
