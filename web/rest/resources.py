"""Every blueprint of the API that is made of operations. A resource is one file and one line here."""

from __future__ import annotations

from web.rest import (
    about,
    channels,
    forwarding,
    live,
    numbers,
    plan_trials,
    plans,
    pools,
    site_callback,
    sites,
    targets,
)

_RESOURCES = (
    about,
    channels,
    forwarding,
    live,
    numbers,
    plan_trials,
    plans,
    pools,
    site_callback,
    sites,
    targets,
)
BLUEPRINTS = tuple(each.api for each in _RESOURCES)
