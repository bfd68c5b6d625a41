"""Call-tracking services whose exports are understood: a module of that name each, and a line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracker.policy.moved import Vendor

TITLES = {
    "callrail": "CallRail",
    "ctm": "CallTrackingMetrics",
    "calltouch": "Calltouch",
}


def vendor_of(name: str) -> Vendor:
    """The service of that name, one of TITLES."""
    found: Vendor = import_module(f"tracker.policy.vendors.{name}").VENDOR
    return found
