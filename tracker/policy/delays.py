"""The delay model: how many calls a second to expect of a visitor, a caller, or somebody nobody knows.

All rates are calls per second of one lease, one known caller or one number. They come as steps: a rate for
each bin of tracker.policy.sights. `PRIOR` is what is believed before a company has had a single call;
tracker.policy.lessons learns a company's own. docs/attribution.md explains the model.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from math import log
from typing import Any

from tracker.policy.sights import (
    AWAY_EDGES,
    CLICK_EDGES,
    FIRST_AWAY,
    HERE_EDGES,
    REPEAT_EDGES,
    SIGHTS,
    SILENT_EDGES,
    Sight,
)


@dataclass(frozen=True)
class DelayModel:
    """What is known about when visitors and callers call. JSON by `to_json` and `from_json`."""

    sight: tuple[float, ...]  # calls a second from a visitor with a phone, by bin
    click: tuple[float, ...]  # the same, on top, after he pressed the phone link
    repeat: tuple[float, ...]  # calls a second of a caller to a number he has dialled before
    device: Mapping[str, float]  # against a phone, while he is there
    device_away: Mapping[str, float]  # the same, when he is gone
    click_device: Mapping[str, float]  # against a phone, for what follows a click
    came_again: float  # against a visitor who has not been on the site again since
    again: float  # against a visitor who has not called: he calls again, from the same phone
    other_phone: float  # against a visitor who has not called: he calls again, from another phone
    other_country: float  # against a caller whose phone is from the country the visitor was in
    known_caller: float  # share of callers without a visit to their name who have called before
    withheld: float  # share of the visitors whose phone does not show its number
    unknown: float  # calls a second to one number from people nobody can know
    unknown_withheld: float  # share of those
    channel: float  # calls a second to one number of a channel

    def lease_rate(self, sight: Sight) -> float:
        """Calls per second to be expected of a lease that stands so."""
        rate = self._sight_rate(sight) * self.by_device(sight.bin, sight.device)
        if sight.came_again:
            rate *= self.came_again
        return rate + self.click_rate(sight)

    def by_device(self, sight_bin: int, device: str) -> float:
        """Against a phone, in that bin: who reads at a desk calls while he reads, not from the bus."""
        return (self.device if sight_bin < FIRST_AWAY else self.device_away)[device]

    def click_rate(self, sight: Sight) -> float:
        """The part of it that comes of a click on the phone link."""
        return 0.0 if sight.click is None else self.click[sight.click] * self.click_device[sight.device]

    def _sight_rate(self, sight: Sight) -> float:
        """Between the middles of two bins the rate changes steadily: who left sooner is a little likelier."""
        if sight.bin < FIRST_AWAY:
            return self.sight[sight.bin]
        at = log(max(sight.seconds, 1.0))
        place = bisect_right(_MIDDLES, at)
        if place in {0, len(_MIDDLES)}:
            return self.sight[sight.bin]
        part = (at - _MIDDLES[place - 1]) / (_MIDDLES[place] - _MIDDLES[place - 1])
        before, after = self.sight[FIRST_AWAY + place - 1], self.sight[FIRST_AWAY + place]
        return float(before ** (1 - part) * after**part)

    def tail(self, from_seconds: float, to_seconds: float) -> float:
        """Calls expected of one visitor with a phone between these many seconds after he was there."""
        begun, total = 0.0, 0.0
        for place, edge in enumerate(AWAY_EDGES):
            inside = min(edge, to_seconds) - max(begun, from_seconds)
            total += max(0.0, inside) * self.sight[FIRST_AWAY + place]
            begun = edge
        return total

    def to_json(self) -> dict[str, Any]:
        """The model as JSON can keep it."""
        return {"edges": _EDGES} | asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> DelayModel | None:
        """A model that was kept; None when it was learned with other bins or rates: it is learned anew."""
        if kept.get("edges") != _EDGES or any(field.name not in kept for field in fields(cls)):
            return None
        given: dict[str, Any] = {field.name: kept[field.name] for field in fields(cls)}
        return cls(**given | {name: tuple(given[name]) for name in ("sight", "click", "repeat")})


# The middle of each bin of AWAY_EDGES, as a logarithm.
_MIDDLES = tuple(
    log(ended * 0.5) if begun == 0 else log(begun * ended) / 2
    for begun, ended in pairwise((0.0, *AWAY_EDGES))
)
_EDGES = [list(edges) for edges in (HERE_EDGES, SILENT_EDGES, AWAY_EDGES, CLICK_EDGES, REPEAT_EDGES)]


def _steps(edges: tuple[float, ...], shares: Mapping[float, float]) -> tuple[float, ...]:
    """Rates for the bins, from how many calls in a hundred come between the times given (until: share)."""
    rates, begun = [], 0.0
    for edge in edges:
        until = min(time for time in shares if time >= edge)
        since = max((time for time in shares if time <= begun), default=0.0)
        rates.append(shares[until] / 100 / (until - since))
        begun = edge
    return tuple(rates)


# Of a hundred visitors with a phone about six call: half of them while they look at the page, most of the
# others within the hour, a few days later.
_AWAY_SHARES = {
    30.0: 0.45, 60.0: 0.35, 120.0: 0.4, 300.0: 0.5, 600.0: 0.3, 1800.0: 0.35, 3600.0: 0.2, 3 * 3600.0: 0.25,
    12 * 3600.0: 0.25, 86400.0: 0.15, 3 * 86400.0: 0.2, 7 * 86400.0: 0.1,
}  # fmt: skip
# Of a hundred who press the phone link with a phone, three in four call, most of them within ten seconds.
_CLICK_SHARES = {5.0: 25.0, 10.0: 25.0, 20.0: 15.0, 40.0: 6.0, 90.0: 3.0, 180.0: 1.0, 600.0: 0.5}
# Of a hundred callers thirty call the same number again.
_REPEAT_SHARES = {
    60.0: 2.0, 300.0: 3.0, 1200.0: 3.0, 3600.0: 3.0, 3 * 3600.0: 3.0, 12 * 3600.0: 3.0, 86400.0: 3.0,
    2 * 86400.0: 2.5, 4 * 86400.0: 2.5, 7 * 86400.0: 2.0, 14 * 86400.0: 1.5, 30 * 86400.0: 1.5,
    90 * 86400.0: 1.5,
}  # fmt: skip

PRIOR = DelayModel(
    # Nobody dials within seconds of seeing a page for the first time.
    sight=(2e-5, 1e-4, *4 * (1.6e-4,), *3 * (1.5e-4,), *_steps(AWAY_EDGES, _AWAY_SHARES)),
    click=(*_steps(CLICK_EDGES, _CLICK_SHARES),),
    repeat=(*_steps(REPEAT_EDGES, _REPEAT_SHARES), 1e-9),
    device={"phone": 1.0, "tablet": 0.5, "desktop": 0.4, "other": 0.6},
    device_away={"phone": 1.0, "tablet": 0.5, "desktop": 0.4, "other": 0.6},
    click_device={"phone": 1.0, "tablet": 0.3, "desktop": 0.2, "other": 0.5},
    came_again=0.1,
    again=1.0,
    other_phone=0.03,
    other_country=0.1,
    known_caller=0.05,
    withheld=0.05,
    unknown=4e-7,  # one a month
    unknown_withheld=0.15,
    channel=1e-5,  # one a day
)
assert len(PRIOR.sight) == SIGHTS  # noqa: S101  (a rate for each bin, found out at import)
