"""Learning the delay model from a company's own calls: nobody has to say which attribution was right.

    learn(calls: Sequence[CallFacts], stocks: Sequence[Stock], now, since=…) -> DelayModel

Expectation and maximisation in turn. With the rates believed so far every call is shared among everything it
may come from, as `attribute` does (E); then each rate becomes the calls that fell to it over the seconds in
which they could have come (M). A call with one possible source teaches what an ambiguous one may be. Every
rate starts from the prior, worth a few calls. docs/attribution.md derives it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tracker.policy.attribution import NEWEST_WITHHELD, CallFacts
from tracker.policy.delays import PRIOR, DelayModel
from tracker.policy.sights import (
    CLICK_EDGES,
    DEVICES,
    NEWEST,
    REPEAT_EDGES,
    SIGHTS,
    WINDOW,
    Holder,
    Sight,
    click_spells,
    device_of,
    repeat_bin,
    sight_of,
    spells,
)

ROUNDS = 25
ALONE = 16  # candidates of a call that are weighed one by one; the others count by the cells they stand in
CALLERS_DAYS = 30
_REMEMBERED = 0.05  # who is less likely than this is not remembered as the caller


@dataclass(frozen=True)
class Stock:
    """A number, since when and until when (None: now) it was a pool's, and its leases."""

    number_id: int
    from_at: datetime
    until_at: datetime | None
    holders: Sequence[Holder]


def learn(
    calls: Sequence[CallFacts],
    stocks: Sequence[Stock],
    now: datetime,
    *,
    since: datetime | None = None,
    prior: DelayModel = PRIOR,
) -> DelayModel:
    """The model that these calls and leases teach; calls before `since` only tell who is known already."""
    since = since or min((stock.from_at for stock in stocks), default=now)
    lessons = _lessons(calls, stocks, since)
    if not lessons:
        return prior
    exposure = _exposure(stocks, lessons, since, now)
    model = prior
    for _ in range(ROUNDS):
        model = _maximised(prior, model, _expected(lessons, model), exposure)
    return model


# --- What there is to learn from: counted once, before the rounds begin.

_DEVICE = {device: place for place, device in enumerate(DEVICES)}


def _cell(sight: Sight) -> int:
    return (sight.bin * len(DEVICES) + _DEVICE[sight.device]) * 2 + sight.came_again


_CELLS = SIGHTS * len(DEVICES) * 2


@dataclass(frozen=True)
class _Possible:
    """A lease that a call may come from, as it stood then."""

    holder: Holder
    cell: int
    click: int | None
    device: str
    elsewhere: bool | None  # None: one of the countries is not known


@dataclass
class _Lesson:
    """A call to a pool's number, with everything that does not change from round to round."""

    number_id: int
    at: datetime
    caller: str | None
    counts: bool  # False: it only tells who is known already
    callers: int
    alone: list[_Possible]
    others: list[tuple[int, bool | None, int]]  # cell, elsewhere, how many stand there
    older: tuple[float, float, float] | None  # further leases: how many a second, from and to which age
    after: dict[int, list[tuple[int, float]]] = field(default_factory=dict)  # by lease: cells still to come


def _lessons(calls: Sequence[CallFacts], stocks: Sequence[Stock], since: datetime) -> list[_Lesson]:
    by_number: dict[int, list[Stock]] = defaultdict(list)
    for stock in stocks:
        holders = sorted(stock.holders, key=lambda each: (each.from_at, each.lease_id))
        by_number[stock.number_id].append(replace(stock, holders=holders))
    lessons = []
    heard: dict[str, datetime] = {}
    for call in sorted(calls, key=lambda each: (each.at, each.number_id, each.caller or "")):
        used = [each for each in by_number[call.number_id] if _in_use(each, call.at)]
        if used:
            lately = sum(call.at - at < timedelta(days=CALLERS_DAYS) for at in heard.values())
            lessons.append(_lesson(call, used[0], call.at >= since, lately))
        if call.caller is not None:
            heard[call.caller] = call.at
    return lessons


def _in_use(stock: Stock, at: datetime) -> bool:
    return stock.from_at <= at and (stock.until_at is None or at < stock.until_at)


def _lesson(call: CallFacts, stock: Stock, counts: bool, callers: int) -> _Lesson:
    possible, older = _possible(call, stock)
    # Those that are likely by the prior are weighed one by one: who they are may matter.
    possible.sort(key=lambda each: -_prior_rate(each))
    others: dict[tuple[int, bool | None], int] = defaultdict(int)
    for each in possible[ALONE:]:
        others[each.cell, each.elsewhere] += 1
    return _Lesson(
        call.number_id,
        call.at,
        call.caller,
        counts,
        callers,
        possible[:ALONE],
        [(cell, elsewhere, many) for (cell, elsewhere), many in others.items()],
        older,
    )


def _possible(call: CallFacts, stock: Stock) -> tuple[list[_Possible], tuple[float, float, float] | None]:
    """The newest leases that began before the call, of each visit the newest, and what lies behind them."""
    found: dict[int, _Possible] = {}
    looked_at, first = 0, call.at
    for holder in reversed(stock.holders):
        if holder.from_at > call.at:
            continue
        sight = sight_of(holder, call.at)
        if sight is None or looked_at == NEWEST:
            break
        looked_at, first = looked_at + 1, holder.from_at
        known = call.country is not None and holder.country is not None
        elsewhere = call.country != holder.country if known else None
        found.setdefault(
            holder.visit_id, _Possible(holder, _cell(sight), sight.click, sight.device, elsewhere)
        )
    span = (call.at - first).total_seconds()
    longest = min(WINDOW, call.at - stock.from_at).total_seconds()
    older = (looked_at / max(span, 1.0), span, longest) if looked_at == NEWEST else None
    return list(found.values()), older


def _prior_rate(each: _Possible) -> float:
    click = 0.0 if each.click is None else PRIOR.click[each.click]
    return PRIOR.sight[each.cell // (2 * len(DEVICES))] + click


@dataclass
class _Exposure:
    """The seconds in which calls could have come."""

    cells: list[float]
    clicks: list[list[float]]  # by bin and device
    repeats: list[float]
    numbers: float


def _exposure(
    stocks: Sequence[Stock], lessons: Sequence[_Lesson], since: datetime, now: datetime
) -> _Exposure:
    cells = [0.0] * _CELLS
    clicks = [[0.0] * len(DEVICES) for _ in range(len(CLICK_EDGES))]
    numbers = 0.0
    asked: dict[int, list[_Lesson]] = defaultdict(list)
    for lesson in lessons:
        for each in lesson.alone:
            asked[each.holder.lease_id].append(lesson)
    for stock in stocks:
        until = min(now, stock.until_at or now)
        numbers += max(0.0, (until - max(since, stock.from_at)).total_seconds())
        holders = sorted(stock.holders, key=lambda each: (each.from_at, each.lease_id))
        for place, holder in enumerate(holders):
            end = min(until, holders[place + NEWEST].from_at) if place + NEWEST < len(holders) else until
            device = _DEVICE[device_of(holder)]
            for spell in spells(holder, since, end):
                cell = (spell.bin * len(DEVICES) + device) * 2 + spell.came_again
                cells[cell] += spell.seconds
                for lesson in asked.get(holder.lease_id, ()):
                    rest = min(spell.seconds, spell.began + spell.seconds - lesson.at.timestamp())
                    if rest > 0:
                        lesson.after.setdefault(holder.lease_id, []).append((cell, rest))
            for click, seconds in click_spells(holder, since, end):
                clicks[click][device] += seconds
    return _Exposure(cells, clicks, _repeat_exposure(lessons, since, now), numbers)


def _repeat_exposure(lessons: Sequence[_Lesson], since: datetime, now: datetime) -> list[float]:
    """How long callers have been waiting to call the same number again, by time since they last did."""
    seconds = [0.0] * (len(REPEAT_EDGES) + 1)
    until: dict[tuple[str, int], datetime] = {}
    for lesson in reversed(lessons):
        end = now
        if lesson.caller is not None:
            end = until.get((lesson.caller, lesson.number_id), now)
            until[lesson.caller, lesson.number_id] = lesson.at
        begun = 0.0
        first = max(0.0, (since - lesson.at).total_seconds())
        last = (end - lesson.at).total_seconds()
        for place, edge in enumerate((*REPEAT_EDGES, float("inf"))):
            seconds[place] += max(0.0, min(edge, last) - max(begun, first))
            begun = edge
    return seconds


# --- E: what share of every call falls to what.


@dataclass
class _Expected:
    """Calls that fell to each part of the model."""

    cells: list[float] = field(default_factory=lambda: [0.0] * _CELLS)
    clicks: list[list[float]] = field(
        default_factory=lambda: [[0.0] * len(DEVICES) for _ in range(len(CLICK_EDGES))]
    )
    repeats: list[float] = field(default_factory=lambda: [0.0] * (len(REPEAT_EDGES) + 1))
    nobody: float = 0.0
    elsewhere: float = 0.0
    same_country: float = 0.0
    strangers_known: float = 0.0
    strangers_new: float = 0.0
    again: float = 0.0
    other_phone: float = 0.0
    called: list[float] = field(default_factory=lambda: [0.0] * _CELLS)  # seconds after a first call


@dataclass
class _Memory:
    """What the calls so far say about who is who."""

    dialled: dict[tuple[str, int], tuple[datetime, dict[int, float]]] = field(default_factory=dict)
    withheld: dict[int, list[tuple[datetime, dict[int, float]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    links: dict[str, dict[int, float]] = field(default_factory=dict)
    phones: dict[int, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    called: dict[int, float] = field(default_factory=lambda: defaultdict(float))  # by lease
    heard: set[str] = field(default_factory=set)


def _expected(lessons: Sequence[_Lesson], model: DelayModel) -> _Expected:
    rates = [
        model.sight[place] * model.device[device] * (model.came_again if again else 1.0)
        for place in range(SIGHTS)
        for device in DEVICES
        for again in (False, True)
    ]
    expected, memory = _Expected(), _Memory()
    for lesson in lessons:
        _share(lesson, model, rates, memory, expected)
    return expected


@dataclass(frozen=True)
class _Weight:
    """A candidate's rate, and what it is made of."""

    possible: _Possible
    cell: float  # the part that is not of a click
    click: float
    own: float  # of the identity: he is the caller
    new: float  # …: nobody knew him
    other: float  # …: he called before, from another phone

    @property
    def identity(self) -> float:
        return self.own + self.new + self.other

    @property
    def total(self) -> float:
        return (self.cell + self.click) * self.identity


def _share(
    lesson: _Lesson, model: DelayModel, rates: Sequence[float], memory: _Memory, expected: _Expected
) -> None:
    """Shares one call among all that it may come from, and remembers who called."""
    stranger = _stranger(lesson, model, memory)
    weights = [_weigh(each, lesson, model, rates, memory, stranger) for each in lesson.alone]
    crowd = [
        (cell, elsewhere, rates[cell] * many * stranger * (model.other_country if elsewhere else 1.0))
        for cell, elsewhere, many in lesson.others
    ]
    repeats = list(_repeats(lesson, model, memory))
    nobody = model.unknown * stranger
    older = lesson.older[0] * model.tail(*lesson.older[1:]) * stranger if lesson.older else 0.0
    total = (
        sum(each.total for each in weights)
        + sum(weight for *_, weight in crowd)
        + sum(weight for _, weight, _ in repeats)
        + nobody
        + older
    )
    visitors = _visitors(weights, repeats, total)
    if lesson.counts:
        _count(lesson, expected, weights, crowd, repeats, total)
        expected.nobody += nobody / total
        _count_strangers(lesson, memory, expected, weights, crowd, nobody + older, total)
        _count_called(lesson, memory, expected, weights, total)
    _remember(lesson, memory, visitors)


def _stranger(lesson: _Lesson, model: DelayModel, memory: _Memory) -> float:
    if lesson.caller is None:
        return 1.0
    if lesson.caller in memory.heard:
        return model.known_caller / max(1, lesson.callers)
    return 1.0 - model.known_caller


def _weigh(
    each: _Possible,
    lesson: _Lesson,
    model: DelayModel,
    rates: Sequence[float],
    memory: _Memory,
    stranger: float,
) -> _Weight:
    country = model.other_country if each.elsewhere else 1.0
    click = 0.0 if each.click is None else model.click[each.click] * model.click_device[each.device]
    who = each.holder.visitor_id
    link = memory.links.get(lesson.caller, {}).get(who, 0.0) if lesson.caller is not None else 0.0
    new, other = 1.0, 1.0
    for phone, sure in memory.phones.get(who, {}).items():
        if phone != lesson.caller:
            new *= 1 - sure
            other *= 1 - sure + sure * model.other_phone
    rest = (1 - link) * stranger
    return _Weight(
        each,
        rates[each.cell] * country,
        click * country,
        link * model.again,
        rest * new,
        rest * (other - new),
    )


def _repeats(
    lesson: _Lesson, model: DelayModel, memory: _Memory
) -> Iterator[tuple[int, float, Mapping[int, float]]]:
    """Bin, rate and supposed visitors of each earlier caller who may be dialling the number again."""
    if lesson.caller is not None:
        last = memory.dialled.get((lesson.caller, lesson.number_id))
        earlier = [last] if last else []
    else:
        earlier = memory.withheld[lesson.number_id][-NEWEST_WITHHELD:]
    for at, beliefs in earlier:
        place = repeat_bin((lesson.at - at).total_seconds())
        yield place, model.repeat[place], beliefs


def _visitors(
    weights: Sequence[_Weight], repeats: Sequence[tuple[int, float, Mapping[int, float]]], total: float
) -> dict[int, float]:
    found: dict[int, float] = defaultdict(float)
    for each in weights:
        found[each.possible.holder.visitor_id] += each.total / total
    for _, rate, beliefs in repeats:
        for who, sure in beliefs.items():
            found[who] += rate * sure / total
    return {who: sure for who, sure in found.items() if sure >= _REMEMBERED}


def _count(
    lesson: _Lesson,
    expected: _Expected,
    weights: Sequence[_Weight],
    crowd: Sequence[tuple[int, bool | None, float]],
    repeats: Sequence[tuple[int, float, Mapping[int, float]]],
    total: float,
) -> None:
    for each in weights:
        it, scale = each.possible, each.identity / total
        expected.cells[it.cell] += each.cell * scale
        if it.click is not None:
            expected.clicks[it.click][_DEVICE[it.device]] += each.click * scale
        expected.elsewhere += each.total / total if it.elsewhere is True else 0.0
        expected.same_country += each.total / total if it.elsewhere is False else 0.0
        expected.again += (each.cell + each.click) * each.own / total
        expected.other_phone += (each.cell + each.click) * each.other / total
    for cell, elsewhere, weight in crowd:
        expected.cells[cell] += weight / total
        expected.elsewhere += weight / total if elsewhere is True else 0.0
        expected.same_country += weight / total if elsewhere is False else 0.0
    for place, weight, _ in repeats:
        expected.repeats[place] += weight / total


def _count_strangers(
    lesson: _Lesson,
    memory: _Memory,
    expected: _Expected,
    weights: Sequence[_Weight],
    crowd: Sequence[tuple[int, bool | None, float]],
    nobody: float,
    total: float,
) -> None:
    """Callers without a call to their name: how many of them the company has heard before."""
    if lesson.caller is None:
        return
    strangers = sum((each.cell + each.click) * (each.new + each.other) for each in weights)
    share = (strangers + sum(weight for *_, weight in crowd) + nobody) / total
    if lesson.caller in memory.heard:
        expected.strangers_known += share
    else:
        expected.strangers_new += share


def _count_called(
    lesson: _Lesson, memory: _Memory, expected: _Expected, weights: Sequence[_Weight], total: float
) -> None:
    """The seconds that a lease had still before it after its visitor called."""
    for each in weights:
        lease = each.possible.holder.lease_id
        share = min(each.total / total, 1.0 - memory.called[lease])
        if share < _REMEMBERED:
            continue
        memory.called[lease] += share
        for cell, seconds in lesson.after.get(lease, ()):
            expected.called[cell] += share * seconds


def _remember(lesson: _Lesson, memory: _Memory, visitors: dict[int, float]) -> None:
    if lesson.caller is None:
        memory.withheld[lesson.number_id].append((lesson.at, visitors))
        return
    memory.heard.add(lesson.caller)
    memory.dialled[lesson.caller, lesson.number_id] = lesson.at, visitors
    if visitors:
        memory.links[lesson.caller] = visitors
        best = max(visitors, key=lambda who: (visitors[who], -who))
        memory.phones[best][lesson.caller] = visitors[best]


# --- M: each rate is the calls that fell to it over the seconds in which they could have come.

_WORTH = 2.0  # calls that a rate of the prior is worth
_FACTOR_WORTH = 4.0  # the same for what rates are multiplied with


def _maximised(prior: DelayModel, last: DelayModel, calls: _Expected, exposure: _Exposure) -> DelayModel:
    # A visitor who has called counts as what he still is: likely to call again, or from another phone.
    remains = 1.0 - last.again - last.other_phone
    seconds = [
        max(0.0, whole - called * remains) for whole, called in zip(exposure.cells, calls.called, strict=True)
    ]
    model = replace(last, sight=_sight(prior, last, calls, seconds))
    model = replace(model, device=_device(prior, model, calls, seconds))
    model = replace(model, came_again=_came_again(prior, model, calls, seconds))
    model = replace(model, click=_click(prior, model, calls, exposure))
    model = replace(model, click_device=_click_device(prior, model, calls, exposure))
    called = sum(many * _rate(model, cell) for cell, many in enumerate(calls.called))
    nobody = calls.nobody + _WORTH / 2
    return replace(
        model,
        again=_factor(prior.again, calls.again, called),
        other_phone=_factor(prior.other_phone, calls.other_phone, called),
        repeat=_smoothed(prior.repeat, calls.repeats, exposure.repeats),
        other_country=_odds(prior.other_country, calls.elsewhere, calls.same_country),
        known_caller=_share_of(prior.known_caller, calls.strangers_known, calls.strangers_new),
        unknown=nobody / (_WORTH / 2 / prior.unknown + exposure.numbers),
    )


def _rate(model: DelayModel, cell: int) -> float:
    place, device, again = _parts(cell)
    return model.sight[place] * model.device[device] * (model.came_again if again else 1.0)


def _parts(cell: int) -> tuple[int, str, bool]:
    rest, again = divmod(cell, 2)
    place, device = divmod(rest, len(DEVICES))
    return place, DEVICES[device], bool(again)


def _sight(
    prior: DelayModel, model: DelayModel, calls: _Expected, seconds: Sequence[float]
) -> tuple[float, ...]:
    many, long = [0.0] * SIGHTS, [0.0] * SIGHTS
    for cell in range(_CELLS):
        place, device, again = _parts(cell)
        many[place] += calls.cells[cell]
        long[place] += seconds[cell] * model.device[device] * (model.came_again if again else 1.0)
    return _smoothed(prior.sight, many, long)


def _smoothed(prior: Sequence[float], calls: Sequence[float], seconds: Sequence[float]) -> tuple[float, ...]:
    """Rates that lean on the prior's shape, scaled to what the bins around have taught."""
    rates = []
    for place, rate in enumerate(prior):
        near = [0.5 ** abs(place - other) for other in range(len(prior))]
        more = (1.0 + sum(map(_product, near, calls))) / (
            1.0 + sum(each * prior[other] * seconds[other] for other, each in enumerate(near))
        )
        rates.append((_WORTH + calls[place]) / (_WORTH / (rate * more) + seconds[place]))
    return tuple(rates)


def _product(one: float, other: float) -> float:
    return one * other


def _device(
    prior: DelayModel, model: DelayModel, calls: _Expected, seconds: Sequence[float]
) -> dict[str, float]:
    many, due = dict.fromkeys(DEVICES, 0.0), dict.fromkeys(DEVICES, 0.0)
    for cell in range(_CELLS):
        place, device, again = _parts(cell)
        many[device] += calls.cells[cell]
        due[device] += seconds[cell] * model.sight[place] * (model.came_again if again else 1.0)
    return {"phone": 1.0} | {it: _factor(prior.device[it], many[it], due[it]) for it in DEVICES[1:]}


def _came_again(prior: DelayModel, model: DelayModel, calls: _Expected, seconds: Sequence[float]) -> float:
    many, due = 0.0, 0.0
    for cell in range(1, _CELLS, 2):
        place, device, _ = _parts(cell)
        many += calls.cells[cell]
        due += seconds[cell] * model.sight[place] * model.device[device]
    return _factor(prior.came_again, many, due)


def _click(prior: DelayModel, model: DelayModel, calls: _Expected, exposure: _Exposure) -> tuple[float, ...]:
    long = [
        sum(seconds * model.click_device[device] for seconds, device in zip(row, DEVICES, strict=True))
        for row in exposure.clicks
    ]
    return _smoothed(prior.click, [sum(row) for row in calls.clicks], long)


def _click_device(
    prior: DelayModel, model: DelayModel, calls: _Expected, exposure: _Exposure
) -> dict[str, float]:
    found = {"phone": 1.0}
    for place, device in enumerate(DEVICES[1:], start=1):
        due = sum(row[place] * rate for row, rate in zip(exposure.clicks, model.click, strict=True))
        found[device] = _factor(prior.click_device[device], sum(row[place] for row in calls.clicks), due)
    return found


def _factor(prior: float, calls: float, due: float) -> float:
    """A factor: the calls there were over those that were due without it."""
    return (_FACTOR_WORTH * prior + calls) / (_FACTOR_WORTH + due)


def _odds(prior: float, calls: float, against: float) -> float:
    return (_FACTOR_WORTH * prior + calls) / (_FACTOR_WORTH + against)


def _share_of(prior: float, calls: float, others: float) -> float:
    return (_FACTOR_WORTH * prior + calls) / (_FACTOR_WORTH + calls + others)
