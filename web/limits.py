"""How often one address, one network and one site may ask: token buckets in this process's memory.

What a flood costs the company is numbers, and a number is taken by a new visit only: new visits are bounded
twice. Below the first bound a visitor is believed like anybody. Above it he is still served, but gets a
number only while more than half of the pool is free (`trusted=False`): a busy office behind one address loses
nothing while there are numbers, and a script cannot empty a pool. Above the second bound the page keeps its
own number and nothing is stored.

An address of this machine itself is nobody's: behind it are people who come through a proxy that
`trusted_proxies` does not name, or the admin who tries things out. Only the site's bound holds for them.

A bucket holds `burst` and fills by `per_second`. Buckets are kept for the addresses asked about last, at most
so many, per worker process: with several, everybody has as many times more.
"""

from __future__ import annotations

import functools
import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """So many at once, and so many a second in the long run."""

    burst: float
    per_second: float


# A visit that falls silent at once holds its number for ten minutes (`idle_seconds` of the pool), so a bound
# lets one place hold `burst` + 600 * `per_second` numbers that way.
# A home, a meeting room: six new visitors at once, one more each minute; 16 numbers at most.
BELIEVED_ADDRESS = Rate(6, 1 / 60)
# 256 neighbours are an office, a campus, a mobile carrier's exit: 15 at once, two more a minute; 35 numbers.
BELIEVED_NETWORK = Rate(15, 1 / 30)
# Hundreds of people behind one address, whom a newsletter sends to the site in the same minute, and the exits
# of a mobile carrier, at 6 new visitors a minute: more than a company's site sees from one place.
OPEN_ADDRESS = Rate(60, 1 / 10)
OPEN_NETWORK = Rate(200, 1 / 2)
# What one process and its database are good for; a site that really has 300 new visitors a second runs more.
OPEN_SITE = Rate(3000, 300)
# Signs of life, pages, events of known visits: 200 visitors of one office, each clicking along.
SPEAK_ADDRESS = Rate(240, 12)
SPEAK_NETWORK = Rate(1200, 60)
SPEAK_SITE = Rate(6000, 1000)
# Wishes to be called back: a person has one, an office a few. What they cost is bounded by each site's limits
# (tracker.policy.callback); this keeps a flood of what is refused out of the books.
ASK_ADDRESS = Rate(10, 1 / 60)
ASK_NETWORK = Rate(40, 1 / 15)
ASK_SITE = Rate(100, 1 / 2)
MOST_BUCKETS = 20_000  # about 4 MB; beyond, who has been silent longest is forgotten


class Buckets:
    """Token buckets by key; `clock` gives monotonic seconds."""

    def __init__(self, rate: Rate, clock: Callable[[], float], most: int = MOST_BUCKETS) -> None:
        self.rate, self._clock, self._most = rate, clock, most
        self._levels: OrderedDict[object, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: object) -> float:
        """Takes one: 0.0. From an empty bucket nothing: the seconds until there is one."""
        now = self._clock()
        with self._lock:
            level, at = self._levels.pop(key, (self.rate.burst, now))
            level = min(self.rate.burst, level + (now - at) * self.rate.per_second)
            missing = max(0.0, 1.0 - level)
            self._levels[key] = (level if missing else level - 1.0, now)
            if len(self._levels) > self._most:
                self._levels.popitem(last=False)
        return missing / self.rate.per_second

    def left(self, key: object) -> float:
        """How much is in the bucket now."""
        with self._lock:
            level, at = self._levels.get(key, (self.rate.burst, self._clock()))
        return min(self.rate.burst, level + (self._clock() - at) * self.rate.per_second)

    def __len__(self) -> int:
        return len(self._levels)


@dataclass(frozen=True)
class Place:
    """Where a request comes from: the address (IPv6: its /64, one customer's), and the /24 or /48 around.

    `here`: from this very machine.
    """

    address: str
    network: str
    here: bool = False


@functools.lru_cache(4096)  # a visitor speaks every few seconds
def place_of(address: str) -> Place:
    """The place of a client's address; what is no address counts as one place of its own."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return Place(address, address)
    own, around = (32, 24) if found.version == 4 else (64, 48)
    return Place(
        str(ipaddress.ip_network((found, own), strict=False)),
        str(ipaddress.ip_network((found, around), strict=False)),
        here=found.is_loopback,
    )


class Limits:
    """All buckets of the visit API."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._believed = Buckets(BELIEVED_ADDRESS, clock), Buckets(BELIEVED_NETWORK, clock)
        self._open = Buckets(OPEN_ADDRESS, clock), Buckets(OPEN_NETWORK, clock), Buckets(OPEN_SITE, clock)
        self._speak = Buckets(SPEAK_ADDRESS, clock), Buckets(SPEAK_NETWORK, clock), Buckets(SPEAK_SITE, clock)

        self._ask = Buckets(ASK_ADDRESS, clock), Buckets(ASK_NETWORK, clock), Buckets(ASK_SITE, clock)

    def asks(self, place: Place, site_id: int) -> float:
        """0.0 when somebody there may ask to be called back; else in how many seconds."""
        return _wait(self._ask, place, site_id)

    def opens(self, place: Place, site_id: int) -> bool:
        """Whether a visit that is new may be opened at all."""
        return not _wait(self._open, place, site_id)

    def believes(self, place: Place) -> bool:
        """Whether a new visit from there is believed to be a person's, going by how many came before."""
        return not _wait(self._believed, place)

    def speaks(self, place: Place, site_id: int) -> float:
        """0.0 when a known visit may be spoken for; else in how many seconds."""
        return _wait(self._speak, place, site_id)


def _wait(buckets: tuple[Buckets, ...], place: Place, *site_id: int) -> float:
    """The wait, if any. The smallest place comes first: who is refused there costs the larger nothing."""
    for bucket, key in zip(buckets, (place.address, place.network, *site_id), strict=True):
        if place.here and key not in site_id:
            continue
        if wait := bucket.take(key):
            return wait
    return 0.0
