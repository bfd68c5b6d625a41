"""Every blueprint of the API that is made of operations. A resource is one file and one line here."""

from __future__ import annotations

from web.rest import about, channels, live, numbers, pools, site_callback, sites

_RESOURCES = (
    about,
    channels,
    live,
    numbers,
    pools,
    site_callback,
    sites,
)
BLUEPRINTS = tuple(each.api for each in _RESOURCES)
