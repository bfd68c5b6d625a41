"""What a company's calls and leases have to teach: counted once, before the learning goes round.

A `Lesson` is a call with everything it may come from, as it stood then. An `Exposure` is how many seconds
there were in which such a call could have come: without them no rate can be known. Both are kept by cell: the
bin of the delay model, the device, and whether the visitor has come again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tracker.policy.attribution import CallFacts
from tracker.policy.delays import PRIOR
from tracker.policy.sights import (
    CLICK_EDGES,
    DEVICES,
    NEWEST,
    REPEAT_EDGES,
    SIGHTS,
    WINDOW,
    Holder,
    Sight,
    Spell,
    click_spells,
    device_of,
    sight_of,
    spells,
)

ALONE = 8  # candidates of a call that are weighed one by one; the others count by the cells they stand in
CALLERS_DAYS = 30  # how long a caller counts among those the company knows
DEVICE = {device: place for place, device in enumerate(DEVICES)}
CELLS = SIGHTS * len(DEVICES) * 2
CLICKS = len(CLICK_EDGES) * len(DEVICES)
REPEATS = len(REPEAT_EDGES) + 1
HOURS = 24
_DAY = 86400.0


@dataclass(frozen=True)
class Stock:
    """A number, since when and until when (None: still) it was a pool's, and its leases."""

    number_id: int
    from_at: datetime
    until_at: datetime | None
    holders: Sequence[Holder]

    def covers(self, at: datetime) -> bool:
        return self.from_at <= at and (self.until_at is None or at < self.until_at)


@dataclass(frozen=True)
class Possible:
    """A lease that a call may come from, as it stood then."""

    lease_id: int
    visitor_id: int
    cell: int
    click: int | None  # of CLICKS
    elsewhere: bool | None  # the visitor was in another country than the phone is from; None: not known


@dataclass(frozen=True)
class Older:
    """The leases before those that are looked at: how many a second, from which age to which."""

    rate: float
    from_seconds: float
    to_seconds: float


@dataclass
class Lesson:
    """A call to a pool's number, with everything that does not change from round to round.

    `counts`: False if it only tells who is known already. `others`: cell, elsewhere, and how many stand
    there. `after`: by lease, the cells that were still to come, with seconds.
    """

    number_id: int
    at: datetime
    caller: str | None
    counts: bool
    callers: int
    alone: list[Possible]
    others: list[tuple[int, bool | None, int]]
    older: Older | None
    after: dict[int, list[tuple[int, float]]] = field(default_factory=dict)


def cell_of(sight_bin: int, device: str, came_again: bool) -> int:
    """The number of a cell."""
    return (sight_bin * len(DEVICES) + DEVICE[device]) * 2 + came_again


def parts_of(cell: int) -> tuple[int, str, bool]:
    """The bin, the device, and whether the visitor has come again."""
    rest, came_again = divmod(cell, 2)
    sight_bin, device = divmod(rest, len(DEVICES))
    return sight_bin, DEVICES[device], bool(came_again)


def in_order(stocks: Iterable[Stock]) -> list[Stock]:
    """The stocks with their leases in the order in which these began."""
    return [
        replace(stock, holders=sorted(stock.holders, key=lambda each: (each.from_at, each.lease_id)))
        for stock in stocks
    ]


def lessons_of(calls: Sequence[CallFacts], stocks: Sequence[Stock], since: datetime) -> list[Lesson]:
    """The calls in the order of time, with what each may come from; calls to other numbers are left out."""
    by_number: dict[int, list[Stock]] = defaultdict(list)
    for stock in stocks:
        by_number[stock.number_id].append(stock)
    lessons = []
    callers = _Callers()
    for call in sorted(calls, key=lambda each: (each.at, each.number_id, each.caller or "")):
        used = [each for each in by_number[call.number_id] if each.covers(call.at)]
        if used:
            lessons.append(_lesson(call, used[0], call.at >= since, callers.before(call.at)))
        callers.add(call)
    return lessons


class _Callers:
    """How many different callers there were in the month before."""

    def __init__(self) -> None:
        self._calls: deque[tuple[datetime, str]] = deque()
        self._many: Counter[str] = Counter()

    def before(self, at: datetime) -> int:
        while self._calls and at - self._calls[0][0] > timedelta(days=CALLERS_DAYS):
            _, caller = self._calls.popleft()
            self._many[caller] -= 1
            if not self._many[caller]:
                del self._many[caller]
        return len(self._many)

    def add(self, call: CallFacts) -> None:
        if call.caller is not None:
            self._calls.append((call.at, call.caller))
            self._many[call.caller] += 1


def _lesson(call: CallFacts, stock: Stock, counts: bool, callers: int) -> Lesson:
    possible, older = _possible(call, stock)
    # Those that are likely by the prior are weighed one by one: who they are may matter.
    possible.sort(key=lambda each: -_prior_rate(each))
    others: dict[tuple[int, bool | None], int] = defaultdict(int)
    for each in possible[ALONE:]:
        others[each.cell, each.elsewhere] += 1
    crowd = [(cell, elsewhere, many) for (cell, elsewhere), many in others.items()]
    return Lesson(call.number_id, call.at, call.caller, counts, callers, possible[:ALONE], crowd, older)


def _possible(call: CallFacts, stock: Stock) -> tuple[list[Possible], Older | None]:
    """The newest leases that began before the call, of each visit the newest, and what lies behind them."""
    found: dict[int, Possible] = {}
    at = call.at.timestamp()
    looked_at, first = 0, at
    begun = bisect_right(stock.holders, at, key=_began)
    for place in range(begun - 1, -1, -1):
        holder = stock.holders[place]
        sight = sight_of(holder, at)
        if sight is None or looked_at == NEWEST:
            break
        looked_at, first = looked_at + 1, holder.began
        found.setdefault(holder.visit_id, _as_possible(holder, sight, call.country))
    span = at - first
    longest = min(WINDOW, call.at - stock.from_at).total_seconds()
    older = Older(looked_at / max(span, 1.0), span, longest) if looked_at == NEWEST else None
    return list(found.values()), older


def _began(holder: Holder) -> float:
    return holder.began


def _as_possible(holder: Holder, sight: Sight, country: str | None) -> Possible:
    known = country is not None and holder.country is not None
    click = None if sight.click is None else sight.click * len(DEVICES) + DEVICE[sight.device]
    return Possible(
        holder.lease_id,
        holder.visitor_id,
        cell_of(sight.bin, sight.device, sight.came_again),
        click,
        country != holder.country if known else None,
    )


def _prior_rate(each: Possible) -> float:
    click = 0.0 if each.click is None else PRIOR.click[each.click // len(DEVICES)]
    return PRIOR.sight[parts_of(each.cell)[0]] + click


class Exposure:
    """The seconds in which calls could have come, by the hour of day (UTC).

    By hour, because hardly anybody calls at night: the hours that are quiet for everybody must not look like
    delays after which nobody calls.
    """

    def __init__(self) -> None:
        self.cells = _hours(CELLS)
        self.clicks = _hours(CLICKS)
        self.repeats = _hours(REPEATS)
        self.numbers = _hours(1)


def _hours(places: int) -> list[list[float]]:
    return [[0.0] * places for _ in range(HOURS)]


def _spread(hours: list[list[float]], place: int, began: float, seconds: float) -> None:
    """Adds seconds that began at that POSIX time to the hours of the day in which they passed."""
    days, rest = divmod(max(0.0, seconds), _DAY)
    if days:
        for hour in hours:
            hour[place] += days * _DAY / HOURS
    while rest > 0:
        part = min(rest, 3600.0 - began % 3600.0)
        hours[int(began // 3600) % HOURS][place] += part
        began, rest = began + part, rest - part


def exposure_of(
    stocks: Sequence[Stock], lessons: Sequence[Lesson], since: datetime, now: datetime
) -> Exposure:
    """All the seconds between two instants; also notes in the lessons what was to come after each."""
    asked: dict[int, list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        for each in lesson.alone:
            asked[each.lease_id].append(lesson)
    exposure = Exposure()
    for stock in stocks:
        first, last = max(since, stock.from_at), min(now, stock.until_at or now)
        _spread(exposure.numbers, 0, first.timestamp(), (last - first).total_seconds())
        for place, holder in enumerate(stock.holders):
            # From then on so many others have had the number that nobody looks at this one any more.
            behind = stock.holders[place + NEWEST].from_at if place + NEWEST < len(stock.holders) else last
            between = since.timestamp(), min(last, behind).timestamp()
            _expose(exposure, holder, between, asked.get(holder.lease_id, ()))
    _expose_callers(exposure, lessons, since, now)
    return exposure


def _expose(
    exposure: Exposure, holder: Holder, between: tuple[float, float], asked: Sequence[Lesson]
) -> None:
    device = device_of(holder)
    for spell in spells(holder, *between):
        cell = cell_of(spell.bin, device, spell.came_again)
        _spread(exposure.cells, cell, spell.began, spell.seconds)
        for lesson in asked:
            rest = _rest(spell, lesson.at)
            if rest > 0:
                lesson.after.setdefault(holder.lease_id, []).append((cell, rest))
    for spell in click_spells(holder, *between):
        _spread(exposure.clicks, spell.bin * len(DEVICES) + DEVICE[device], spell.began, spell.seconds)


def _rest(spell: Spell, at: datetime) -> float:
    return min(spell.seconds, spell.began + spell.seconds - at.timestamp())


def _expose_callers(exposure: Exposure, lessons: Sequence[Lesson], since: datetime, now: datetime) -> None:
    """How long callers have had to call the same number again, by the time since they last did."""
    until: dict[tuple[str, int], datetime] = {}
    for lesson in reversed(lessons):
        end = now
        if lesson.caller is not None:
            end = until.get((lesson.caller, lesson.number_id), now)
            until[lesson.caller, lesson.number_id] = lesson.at
        first, last = max(0.0, (since - lesson.at).total_seconds()), (end - lesson.at).total_seconds()
        begun = 0.0
        for place, edge in enumerate((*REPEAT_EDGES, last)):
            begins, ends = max(begun, first), min(edge, last)
            if begins < ends:
                _spread(exposure.repeats, place, lesson.at.timestamp() + begins, ends - begins)
            begun = edge
