"""Countries of IP addresses, from the registries' data inside the package iptocc: nobody is asked."""

from __future__ import annotations

import ipaddress

import iptocc


def country_of(address: str) -> str | None:
    """The ISO 3166 code of the country to which the address was given; None for private or unknown ones."""
    try:
        ip = ipaddress.ip_address(address.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if not ip.is_global:
        return None
    country = iptocc.country_code(str(ip))
    return country.upper() if country and len(country) == 2 else None
