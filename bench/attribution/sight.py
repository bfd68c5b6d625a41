"""What the perfect judge makes of a visit's traces: how likely it is to call at an instant.

The server does not know until when a visitor looked at the page: a beacon says when the page was closed, but
three in ten had hidden it before, and some beacons are lost. So that instant is a distribution, given the
last sign of life, here as a few weighed moments.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from bench.attribution.process import HOUR, PING, Floats, Ints
from bench.attribution.world import World

_STEPS = 6  # moments between the last sign of life and the next one due; and one for the beacon
_CLICK_MEMORY = 300.0


class Sights:
    """The visits of a world as the server saw them, and the rates at which they call."""

    def __init__(self, world: World) -> None:
        self._process = world.process
        visits = world.visits
        self.start = np.array([each.start for each in visits])
        self.device: Ints = np.array([each.device for each in visits])
        self.cookie: Ints = np.array([each.cookie for each in visits])
        self._sign = np.array([each.signs()[-1] for each in visits])
        self._left = np.array([np.nan if each.left is None else each.left for each in visits])
        due = self.start + PING * (np.floor((self._sign - self.start) / PING) + 1)
        self._due = due
        habit = self._process.habit
        self._on_site, self._soon, self._late = (
            habit(name, self.device) for name in ("on_site", "soon", "late")
        )
        self._clicks = np.array([each.clicks for each in self._process.habits])[self.device]
        everything = np.arange(len(visits))
        self._until, self._weight = self._moments(everything, self._left, np.full(len(visits), np.inf))
        clicks = sorted((at, each.number) for each in visits for at in each.heard_clicks)
        self._click_at = np.array([at for at, _ in clicks])
        self._click_by: Ints = np.array([number for _, number in clicks], dtype=np.int64)
        self.clicks_of: dict[int, list[float]] = defaultdict(list)
        for at, number in clicks:
            self.clicks_of[number].append(at)

    def rates(self, visits: Ints, at: float, judged_at: float) -> tuple[Floats, Floats]:
        """Clicks these visits may call by now, and calls a second that come of no click."""
        until, weight = self._until[visits], self._weight[visits]
        left = self._left[visits]
        news = (left > judged_at) | (np.isnan(left) & (self._sign[visits] > judged_at - HOUR))
        if news.any():
            some = visits[news]
            known = np.where(self._left[some] <= judged_at, self._left[some], np.nan)
            until[news], weight[news] = self._moments(some, known, np.full(len(some), judged_at))
        process = self._process
        gone = at - until
        away = self._soon[visits, None] * process.soon_delay.density(gone) + self._late[
            visits, None
        ] * process.late_delay.density(gone)
        here = np.where(gone <= 0, self._on_site[visits, None], 0.0)
        return self._by_click(visits, at, until, weight), (weight * (here + away)).sum(axis=1)

    def _by_click(self, visits: Ints, at: float, until: Floats, weight: Floats) -> Floats:
        process = self._process
        begin = np.maximum(at - self.start[visits], 0.0)[:, None]
        end = np.maximum(at - until, 0.0)
        unheard = self._clicks[visits] * (1 - process.click_heard)
        recent = (begin < np.inf) & (end < _CLICK_MEMORY)
        missed = np.zeros_like(until)
        rows = recent.any(axis=1) & (unheard > 0)
        missed[rows] = process.click_delay.until(np.broadcast_to(begin[rows], until[rows].shape))
        missed[rows] -= process.click_delay.until(end[rows])
        rate: Floats = unheard * (weight * missed).sum(axis=1)
        first, last = np.searchsorted(self._click_at, (at - _CLICK_MEMORY, at))
        for click, number in zip(self._click_at[first:last], self._click_by[first:last], strict=True):
            rate[visits == number] += process.click_delay.density(np.array([at - click]))[0]
        return rate

    def _moments(self, visits: Ints, left: Floats, judged_at: Floats) -> tuple[Floats, Floats]:
        """Until when these visitors looked, as far as known at `judged_at`: moments and their weights."""
        process = self._process
        start, sign, due = self.start[visits], self._sign[visits], self._due[visits]
        told = ~np.isnan(left)
        end = np.where(told, np.minimum(due, left), due)
        step = (end - sign) / _STEPS
        between = sign[:, None] + step[:, None] * (np.arange(_STEPS) + 0.5)
        silent = process.pages + self._clicks[visits] * process.click_heard

        def stopped(moment: Floats) -> Floats:
            looked = process.looking.density(moment - start[:, None])
            quiet: Floats = looked * np.exp(-silent[:, None] * (moment - sign[:, None]))
            return quiet

        closing = np.where(told, left, 0.0)[:, None]
        hid_then_left = process.hides * np.exp(-np.maximum(closing - between, 0) / process.hidden)
        hid_then_left /= process.hidden
        still_hidden = np.exp(-np.maximum(judged_at[:, None] - between, 0) / process.hidden)
        lost = 1 - process.beacon
        without_word = (1 - process.hides) * lost + process.hides * (lost * (1 - still_hidden) + still_hidden)
        inner = stopped(between) * step[:, None] * np.where(told[:, None], hid_then_left, without_word)
        closed = np.where(told, left, sign)[:, None]
        at_once = np.where(told & (left <= due), 1 - process.hides, 0.0)[:, None] * stopped(closed)
        until = np.concatenate([between, closed], axis=1)
        weight = np.concatenate([inner, at_once], axis=1)
        total = weight.sum(axis=1, keepdims=True)
        return until, np.where(total > 0, weight / np.where(total > 0, total, 1), 1 / (_STEPS + 1))

    def expected(self, visit: int, begin: float, end: float) -> float:
        """Calls to expect between two instants, clicks not counted, before the hour of day thins them."""
        process, until = self._process, float((self._until[visit] * self._weight[visit]).sum())
        start = float(self.start[visit])

        def by(at: float) -> float:
            gone = np.array([at - until])
            here = max(0.0, min(at, until) - start)
            return float(
                self._on_site[visit] * here
                + (
                    self._soon[visit] * process.soon_delay.until(gone)
                    + self._late[visit] * process.late_delay.until(gone)
                )[0]
            )

        return max(0.0, by(end) - by(begin))
