"""The settings in the page: what the command line configures of a company, by the same services.

One module a thing; `room` knows the company that an address names and who may change it, `forms` what was
typed and what was refused of it.
"""

from web.settings import (
    blocked,
    callback,
    channels,
    checks,
    company,
    destinations,
    forwarding,
    inlets,
    keys,
    live,
    numbers,
    outgoing,
    plan_editor,
    plan_step,
    plan_try,
    plans,
    pools,
    responsible,
    sites,
    sounds,
    sources,
    targets,
    trunks,
)

_MODULES = (
    company,
    numbers,
    channels,
    pools,
    sites,
    callback,
    sources,
    targets,
    forwarding,
    plans,
    plan_editor,
    plan_step,
    plan_try,
    outgoing,
    sounds,
    blocked,
    destinations,
    inlets,
    responsible,
    trunks,
    keys,
    live,
    checks,
)
BLUEPRINTS = tuple(each.pages for each in _MODULES)
