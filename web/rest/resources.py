"""Every blueprint of the API that is made of operations. A resource is one file and one line here."""

from __future__ import annotations

from importlib import import_module

from flask import Blueprint

_RESOURCES = (
    "about",
    "alerts",
    "audit",
    "blocks",
    "callbacks",
    "callrail",
    "calls",
    "channels",
    "company",
    "costs",
    "deliveries",
    "destinations",
    "forwarding",
    "going",
    "hooks",
    "inlets",
    "judging",
    "keys",
    "live_settings",
    "missed",
    "numbers",
    "outgoing",
    "plan_trials",
    "plans",
    "pools",
    "rates",
    "recordings",
    "rents",
    "reports",
    "responsibles",
    "sales",
    "saved_reports",
    "site_callback",
    "sites",
    "sounds",
    "source_rules",
    "targets",
    "users",
    "visits",
)


def blueprints() -> list[Blueprint]:
    """One of each resource."""
    return [import_module(f"web.rest.{name}").api for name in _RESOURCES]
