"""Every blueprint of the API that is made of operations. A resource is one file and one line here."""

from __future__ import annotations

from web.rest import (
    about,
    blocks,
    callrail,
    channels,
    company,
    forwarding,
    live,
    numbers,
    outgoing,
    plan_trials,
    plans,
    pools,
    site_callback,
    sites,
    sounds,
    source_rules,
    targets,
)

_RESOURCES = (
    about,
    blocks,
    callrail,
    channels,
    company,
    forwarding,
    live,
    numbers,
    outgoing,
    plan_trials,
    plans,
    pools,
    site_callback,
    sites,
    sounds,
    source_rules,
    targets,
)
BLUEPRINTS = tuple(each.api for each in _RESOURCES)
