"""Where a call came from: every possible source with its probability.

    attribute(call: CallFacts, holders: Sequence[Holder], history: History, model: DelayModel) -> Attribution

A call to a number may come from each visitor who was shown it, from a caller who has dialled it before, from
the channel it stands for, or from somebody nobody can know. Each of them is a source of calls with a rate of
its own (tracker.policy.delays); the probability that the call is his is his rate at that instant over the sum
of all rates, times what the caller's number says. docs/attribution.md derives it.

A pure function of the facts as they stood at the call's first second, so a call found a month later, or
looked at again, is attributed alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tracker.policy.candidates import (
    Attribution,
    Basis,
    Belief,
    CallFacts,
    Candidate,
    Earlier,
    History,
    Reason,
    Used,
)
from tracker.policy.delays import DelayModel
from tracker.policy.sights import FIRST_AWAY, NEWEST, WINDOW, Holder, Sight, repeat_bin, sight_of

__all__ = [
    "CANDIDATES", "NEWEST_WITHHELD", "SURE", "Attribution", "Basis", "Belief", "CallFacts", "Candidate",
    "Earlier", "History", "Reason", "Used", "asked_for",
    "attribute", "told_by_others",
]  # fmt: skip

# A source that is less sure than this is marked as uncertain. At nine in ten, what goes unmarked is wrong far
# less often than one time in ten: most of it is well above.
SURE = 0.9
CANDIDATES = 5  # that are kept
NEWEST_WITHHELD = 20  # calls to a number whose callers may be calling again, if nobody can tell who they are
_FEW_CALLERS = 30
CERTAIN = 0.99  # a code told by the caller: people misread a digit now and then


def attribute(call: CallFacts, holders: Sequence[Holder], history: History, model: DelayModel) -> Attribution:
    """The source of a call, given who held its number, what its caller did before, and the delay model."""
    if history.code is not None:
        return _told(history.code)
    weighed = _Weighing(call, history, model)
    recent = _recent(holders, call.at)
    possible = [*weighed.visitors(recent), *weighed.repeats(), *weighed.channels()]
    only_channel = _only_channel(call, recent, history)
    if only_channel is not None:
        return Attribution(only_channel, False, 0.0, (only_channel,))
    found = _ranked(possible, weighed.unnamed(recent))
    return _explained(found, weighed, {each.lease_id: each for each in recent})


def asked_for(visit_id: int | None, visitor_id: int | None) -> Attribution:
    """The source of a callback: the visit in which it was asked for, if there was one, and nothing else."""
    if visit_id is None:
        return Attribution(None, False, 1.0)
    only = Candidate(Basis.CODE, 1.0, (Reason.CALLBACK,), visit_id, visitor_id)
    return Attribution(only, False, 0.0, (only,))


def told_by_others(visit_id: int | None, visitor_id: int | None, channel_id: int | None) -> Attribution:
    """The source of a call that another call tracking had: it saw where the caller came from."""
    basis = Basis.CODE if visit_id is not None else Basis.CHANNEL
    only = Candidate(basis, 1.0, (Reason.REPORTED,), visit_id, visitor_id, channel_id=channel_id)
    return Attribution(only, False, 0.0, (only,))


def _recent(holders: Sequence[Holder], at: datetime) -> list[Holder]:
    """The leases that began before the call, newest first; of a visit that had several, the newest."""
    begun = [each for each in holders if each.from_at <= at]
    begun.sort(key=lambda each: (each.from_at, each.lease_id), reverse=True)
    by_visit: dict[int, Holder] = {}
    for each in begun[:NEWEST]:
        by_visit.setdefault(each.visit_id, each)
    return list(by_visit.values())


def _explained(found: Attribution, weighed: _Weighing, leases: Mapping[int, Holder]) -> Attribution:
    """With what speaks for the visitors among the candidates; only now, when there are few of them left."""
    candidates = []
    for each in found.candidates:
        why = weighed.reasons(leases[each.lease_id]) if each.lease_id is not None else ()
        order = why + each.reasons if each.basis is Basis.LEASE else each.reasons + why
        candidates.append(replace(each, reasons=tuple(dict.fromkeys(order))))
    named = candidates[0] if found.named is not None else None
    return replace(found, named=named, candidates=tuple(candidates))


def _told(holder: Holder) -> Attribution:
    only = Candidate(
        Basis.CODE, CERTAIN, (Reason.CODE,), holder.visit_id, holder.visitor_id, holder.lease_id or None
    )
    return Attribution(only, False, 1 - CERTAIN, (only,))


def _only_channel(call: CallFacts, recent: Sequence[Holder], history: History) -> Candidate | None:
    """The channel of a number that nobody was leased lately: whoever dials it saw it there."""
    if any(call.at < each.from_at + WINDOW for each in recent):
        return None
    channel_id = next((use.channel_id for use in history.uses if _covers(use, call.at)), None)
    if channel_id is None:
        return None
    return Candidate(Basis.CHANNEL, 1.0, (Reason.CHANNEL,), channel_id=channel_id)


def _covers(use: Used, at: datetime) -> bool:
    return use.from_at <= at and (use.until_at is None or at < use.until_at)


@dataclass(frozen=True)
class Strangers:
    """P(the call shows this very phone, or none | somebody without a call to his name).

    Of visitors, and of people nobody can know. docs/attribution.md derives it.
    """

    visitors: float
    unknown: float


def strangers_of(model: DelayModel, call_shows: str | None, callers: int, *, known: bool) -> Strangers:
    """The shares for a call that shows a caller (None: withheld), of whom the company knows so many.

    Somebody new, or one of those the company knows; while these are few, hardly anybody is one of them.
    """
    if call_shows is None:
        return Strangers(model.withheld, model.unknown_withheld)
    share = model.known_caller / (callers + _FEW_CALLERS) if known else 1.0 - model.known_caller
    return Strangers(share * (1 - model.withheld), share * (1 - model.unknown_withheld))


@dataclass(frozen=True)
class Unnamed:
    """The rates of what cannot be named: people nobody can know, and visitors of whom too little is known."""

    nobody: float
    others: float


class _Weighing:
    """The rates of everything that a call may come from, each times what the caller's number says."""

    def __init__(self, call: CallFacts, history: History, model: DelayModel) -> None:
        self.call, self.history, self.model = call, history, model
        known = bool(history.earlier)
        self.links = _links(history.earlier) if call.caller is not None else _any_of(history.earlier)
        self.strangers = strangers_of(model, call.caller, history.callers, known=known)

    def visitors(self, recent: Sequence[Holder]) -> Iterator[Candidate]:
        at = self.call.at.timestamp()
        for holder in recent:
            sight = sight_of(holder, at)
            if sight is None:
                continue
            weight = self.model.lease_rate(sight) * self._identity(holder) * self._country(holder)
            yield Candidate(Basis.LEASE, weight, (), holder.visit_id, holder.visitor_id, holder.lease_id)

    def reasons(self, holder: Holder) -> tuple[Reason, ...]:
        """What speaks for a visitor, and against him."""
        sight = sight_of(holder, self.call.at.timestamp())
        return tuple(self._reasons(holder, sight)) if sight is not None else ()

    def _identity(self, holder: Holder) -> float:
        """P(this phone | it is this visitor who calls)."""
        link = self.links.get(holder.visitor_id, 0.0)
        new = 1.0
        for phone, sure in self.history.phones.get(holder.visitor_id, {}).items():
            if phone != self.call.caller:
                new *= 1 - sure
        # However many phones he has called from: the next one may be another.
        other = new + (1 - new) * self.model.other_phone
        return link * self.model.again + (1 - link) * other * self.strangers.visitors

    def _is_elsewhere(self, holder: Holder) -> bool:
        mine, his = self.call.country, holder.country
        return mine is not None and his is not None and mine != his

    def _country(self, holder: Holder) -> float:
        return self.model.other_country if self._is_elsewhere(holder) else 1.0

    def _reasons(self, holder: Holder, sight: Sight) -> Iterator[Reason]:
        if sight.click is not None and self.model.click_rate(sight) > self.model.lease_rate(sight) / 2:
            yield Reason.PHONE_CLICK
        yield _when(sight)
        if sight.came_again:
            yield Reason.CAME_AGAIN
        if self.links.get(holder.visitor_id, 0.0) >= 0.5:
            yield Reason.KNOWN_CALLER
        elif any(
            phone != self.call.caller and sure >= 0.5
            for phone, sure in self.history.phones.get(holder.visitor_id, {}).items()
        ):
            yield Reason.OTHER_PHONE
        if sight.device == "phone":
            yield Reason.DEVICE_PHONE
        if self._is_elsewhere(holder):
            yield Reason.OTHER_COUNTRY

    def _dialled(self) -> Iterator[tuple[Earlier, float]]:
        """The earlier calls whose caller may be dialling the number again, and the rate at which he does."""
        same = [
            each
            for each in self.history.earlier
            if each.number_id == self.call.number_id and each.at < self.call.at
        ]
        same = sorted(same, key=lambda each: each.at)
        same = same[-1:] if self.call.caller is not None else same[-NEWEST_WITHHELD:]
        for each in same:
            yield each, self.model.repeat[repeat_bin((self.call.at - each.at).total_seconds())]

    def repeats(self) -> Iterator[Candidate]:
        for earlier, rate in self._dialled():
            for belief in earlier.beliefs:
                yield Candidate(
                    Basis.REPEAT,
                    rate * belief.probability,
                    (Reason.KNOWN_CALLER,),
                    belief.visit_id,
                    belief.visitor_id,
                    channel_id=belief.channel_id,
                )

    def unnamed(self, recent: Sequence[Holder]) -> Unnamed:
        """What else the call may come from: people nobody can know, visitors too unlikely to be kept."""
        nobody, others = self.nobody(), self.older(recent)
        for earlier, rate in self._dialled():
            rest = max(0.0, 1 - sum(belief.probability for belief in earlier.beliefs))
            # That belongs to nobody, and to many of whom nothing was kept. Where somebody was named, nobody
            # was no likelier than he, say half as likely: so he is named again, unless more is known now.
            likeliest = max((belief.probability for belief in earlier.beliefs), default=2.0)
            then = min(rest, likeliest / 2) if earlier.was_named else rest
            nobody, others = nobody + rate * then, others + rate * (rest - then)
        return Unnamed(nobody, others)

    def channels(self) -> Iterator[Candidate]:
        for use in self.history.uses:
            if use.channel_id is None or use.from_at > self.call.at:
                continue
            now = _covers(use, self.call.at)
            rate = self.model.channel
            if use.until_at is not None and not now:
                # As many know the number as have had the time to read it, and not yet to forget it.
                rate *= min(1.0, (use.until_at - use.from_at) / FORGOTTEN)
                rate *= 0.5 ** ((self.call.at - use.until_at) / FORGOTTEN)
            reason = Reason.CHANNEL if now else Reason.FORMER_CHANNEL
            yield Candidate(
                Basis.CHANNEL, rate * self.strangers.visitors, (reason,), channel_id=use.channel_id
            )

    def nobody(self) -> float:
        """People nobody can know: an old paper, a wrong number, a robot."""
        return self.model.unknown * self.strangers.unknown

    def older(self, recent: Sequence[Holder]) -> float:
        """Visitors who were shown the number before those that are looked at one by one."""
        if len(recent) < NEWEST - 10:  # so few that they are all there are
            return 0.0
        span = (self.call.at - recent[-1].from_at).total_seconds()
        began = min(
            (use.from_at for use in self.history.uses if use.pool_id is not None),
            default=self.call.at - WINDOW,
        )
        longest = min(WINDOW, self.call.at - began).total_seconds()
        return self.strangers.visitors * self.model.tail(span, longest) * len(recent) / max(span, 1.0)


FORGOTTEN = timedelta(days=30)  # half of a channel's callers dial another number so long after it moved


def _links(earlier: Sequence[Earlier]) -> dict[int, float]:
    """Which visitor the caller is, as the newest of his calls that says anything about it was judged."""
    for each in sorted(earlier, key=lambda each: each.at, reverse=True):
        found: dict[int, float] = {}
        for belief in each.beliefs:
            if belief.visitor_id is not None:
                found[belief.visitor_id] = found.get(belief.visitor_id, 0.0) + belief.probability
        if found:
            return found
    return {}


def _any_of(earlier: Sequence[Earlier]) -> dict[int, float]:
    """How likely each visitor has made one of these calls, whose callers nobody can tell apart."""
    none: dict[int, float] = {}
    for each in earlier:
        for belief in each.beliefs:
            if belief.visitor_id is not None:
                none[belief.visitor_id] = none.get(belief.visitor_id, 1.0) * (1 - belief.probability)
    return {who: 1 - share for who, share in none.items()}


def _when(sight: Sight) -> Reason:
    if sight.bin < FIRST_AWAY:
        return Reason.JUST_CAME if sight.bin == 0 else Reason.PRESENT
    for seconds, reason in _AGO:
        if sight.seconds < seconds:
            return reason
    return Reason.LEFT_DAYS_AGO


_AGO = ((300, Reason.JUST_LEFT), (3600, Reason.LEFT_MINUTES_AGO), (86400, Reason.LEFT_HOURS_AGO))


def _ranked(possible: Sequence[Candidate], unnamed: Unnamed) -> Attribution:
    """Weights become probabilities; what names the same source counts together.

    The likeliest is named, unless it is likelier that it is nobody. Many who are unlikely one by one do not
    outweigh him.
    """
    total = sum(each.probability for each in possible) + unnamed.nobody + unnamed.others
    if total <= 0:
        return Attribution(None, True, 1.0)
    merged = _merged(possible)
    order = sorted(
        merged, key=lambda each: (-each.probability, -(each.visit_id or 0), -(each.channel_id or 0))
    )
    ranked = [replace(each, probability=each.probability / total) for each in order if each.probability > 0]
    unknown = (unnamed.nobody + unnamed.others) / total
    best = ranked[0] if ranked else None
    named = best if best is not None and best.probability >= unnamed.nobody / total else None
    return Attribution(named, named is None or named.probability < SURE, unknown, tuple(ranked[:CANDIDATES]))


def _merged(possible: Sequence[Candidate]) -> list[Candidate]:
    """One candidate a source: based on what weighs most, with the reasons of all."""
    by_source: dict[tuple[int | None, int | None], Candidate] = {}
    for each in sorted(possible, key=lambda each: (-each.probability, -(each.lease_id or 0))):
        key = (each.visit_id, each.channel_id)
        first = by_source.get(key)
        by_source[key] = each if first is None else _together(first, each)
    return list(by_source.values())


def _together(first: Candidate, more: Candidate) -> Candidate:
    reasons = first.reasons + tuple(each for each in more.reasons if each not in first.reasons)
    return replace(
        first,
        probability=first.probability + more.probability,
        reasons=reasons,
        lease_id=first.lease_id or more.lease_id,
    )
