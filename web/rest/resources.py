"""Every blueprint of the API that is made of operations. A resource is one file and one line here."""

from __future__ import annotations

from web.rest import about, channels, costs, deliveries, destinations, hooks, rates, rents, reports, sales

BLUEPRINTS = (
    about.api,
    channels.api,
    costs.api,
    deliveries.api,
    destinations.api,
    hooks.api,
    rates.api,
    rents.api,
    reports.api,
    sales.api,
)
