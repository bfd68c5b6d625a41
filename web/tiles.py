"""How the overview says its figures: tiles with what has changed, days and hours, links to the calls."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from babel.dates import format_date, get_day_names
from babel.numbers import format_decimal, format_percent
from flask import Flask
from flask_babel import gettext

from tracker.policy.figures import Better, Change, Figure, Figures
from tracker.policy.overview import Overview, Times
from tracker.policy.spans import Asks, Bucket, Span
from tracker.policy.week import WeekHour
from web.filters import hour_words
from web.formats import duration
from web.house import house
from web.languages import count, language
from web.viewer import viewer

FEW = 10  # calls of which no map is drawn
SHADES = 6  # of the hours of a week


def install(app: Flask) -> None:
    """Gives the templates these words."""
    app.jinja_env.filters.update(whole=whole, share=share)
    app.jinja_env.globals.update(
        calls_of=calls_of, day_name=day_name, bucket_words=bucket_words, span_words=span_words,
        shade_of=shade_of, hour_words=hour_words, change_words=change_words, ratio=ratio, WeekHour=WeekHour,
        FEW=FEW,
    )  # fmt: skip


@dataclass(frozen=True)
class Note:
    """Something smaller said below a figure, and the calls behind it."""

    words: str
    asks: Asks = ()


@dataclass(frozen=True)
class Tile:
    """A figure in words with the calls behind it, what it was before, and its way through the days."""

    label: str
    value: str
    asks: Asks
    change: Change
    before: Note
    notes: tuple[Note, ...] = ()
    curve: str = ""  # a number a bar; a gap where there is none


def tiles(it: Overview) -> list[Tile]:
    """What a manager looks at first."""
    now, then = it.now, it.earlier
    calls = _counted(gettext("Calls"), now.calls, then.calls, Better.MORE)
    answered = _shared(gettext("Answered"), now, then, _answered_share)
    missed = _counted(gettext("Missed"), now.missed, then.missed, Better.LESS)
    target = _counted(gettext("Target calls"), now.target, then.target, Better.MORE)
    target_share = _shared(gettext("Target share"), now, then, _target_share)
    return [
        _drawn(it, calls, lambda day: day.calls.count),
        _drawn(it, _callers(it), lambda day: day.first.count),
        _drawn(it, answered, lambda day: day.answered_share),
        _drawn(it, missed, lambda day: day.missed.count),
        _drawn(it, target, lambda day: day.target.count),
        _drawn(it, replace(target_share, notes=_unjudged(now)), lambda day: day.target_share),
        _drawn(it, _wait(it), lambda day: day.mean_wait),
        _drawn(it, _talk(it), lambda day: day.counts.talked),
    ]


def _drawn(it: Overview, tile: Tile, take: Callable[[Figures], float | None]) -> Tile:
    """With the value of each bar; hours that have not come yet say nothing."""
    local = house().clock().astimezone(viewer().zone)
    hours = local.hour if it.span.first == it.span.last == local.date() else 23
    values = [take(bar.figures) if (bar.bucket.hour or 0) <= hours else None for bar in it.bars]
    return replace(tile, curve=" ".join("-" if value is None else f"{value:.4g}" for value in values))


def _counted(label: str, now: Figure, then: Figure, better: Better) -> Tile:
    change = Change(now.count, then.count, better)
    return Tile(label, whole(now.count), now.asks, change, Note(whole(then.count), then.asks))


def _shared(
    label: str, now: Figures, then: Figures, take: Callable[[Figures], tuple[float | None, Figure]]
) -> Tile:
    (of, figure), (before, figure_before) = take(now), take(then)
    change = Change(of, before, Better.MORE, is_share=True)
    return Tile(label, share(of), figure.asks, change, Note(share(before), figure_before.asks))


def _answered_share(of: Figures) -> tuple[float | None, Figure]:
    return of.answered_share, of.answered


def _target_share(of: Figures) -> tuple[float | None, Figure]:
    return of.target_share, of.target


def _callers(it: Overview) -> Tile:
    first = it.now.first
    words = gettext("%(count)s for the first time", count=whole(first.count))
    tile = _counted(gettext("Callers"), it.callers, Figure(it.earlier_callers, it.earlier.known), Better.MORE)
    return replace(tile, notes=(Note(words, first.asks if first.count else ()),))


def _unjudged(now: Figures) -> tuple[Note, ...]:
    if not now.answered.count:
        return ()
    left = now.unjudged
    if not left.count:
        return (Note(gettext("all calls answered are judged")),)
    return (Note(gettext("%(count)s not judged yet", count=whole(left.count)), left.asks),)


def _wait(it: Overview) -> Tile:
    most = it.times.wait_most
    note = None if most is None else gettext("9 of 10 within %(time)s", time=duration(most))
    return _timed(it, gettext("Wait until answered"), lambda times: times.wait, Better.LESS, note)


def _talk(it: Overview) -> Tile:
    half = it.times.talk
    note = None if half is None else gettext("half of them over %(time)s", time=duration(half))
    return _timed(it, gettext("Talk"), lambda times: times.talk_total, Better.NEITHER, note)


def _timed(
    it: Overview, label: str, take: Callable[[Times], float | None], better: Better, note: str | None
) -> Tile:
    """Of the calls that were answered."""
    now, then = take(it.times), take(it.earlier_times)
    before = Note(duration(then), it.earlier.answered.asks)
    notes = () if note is None else (Note(note),)
    return Tile(label, duration(now), it.now.answered.asks, Change(now, then, better), before, notes)


# ---- words ----


def calls_of(asks: Asks) -> str:
    """The address of the list of exactly these calls."""
    return "/calls?" + "&".join(map(_written, asks))


@functools.lru_cache(4096)  # a page has hundreds of links, made of few words
def _written(ask: tuple[str, str]) -> str:
    return urlencode((ask,))


def whole(number: int) -> str:
    return str(number) if 0 <= number < 1000 else count(number)


def share(value: float | None) -> str:
    """ "72 %"; "–" for none."""
    return "–" if value is None else str(format_percent(value, locale=language()))


def change_words(change: Change) -> str:
    """ "+12 %", "−3.1 points"; nothing where there is nothing to compare with."""
    if change.by is None:
        return ""
    sign = "+" if change.by > 0 else "\N{MINUS SIGN}" if change.by < 0 else "±"
    if change.is_share:
        return gettext("%(points)s points", points=sign + _decimal(100 * abs(change.by)))
    return sign + share(abs(change.by))


def _decimal(value: float) -> str:
    return str(format_decimal(round(value, 1), locale=language()))


def ratio(part: int, of: int) -> str:
    """A bar's length in per cent of the longest."""
    return f"{100 * part / of:.1f}" if of else "0"


def shade_of(number: int, most: int) -> int:
    """How dark an hour is: 0 for none, up to SHADES."""
    return 0 if not number else 1 + min(SHADES - 1, (SHADES * number - 1) // most)


def day_name(day: int) -> str:
    """ "Mon" in the page's language."""
    return str(get_day_names("abbreviated", context="stand-alone", locale=language())[day])


def bucket_words(bucket: Bucket) -> str:
    """The bar in words: "14:00", "Fri 20 Nov", "16 – 22 Nov"."""
    if bucket.hour is not None:
        return f"{bucket.hour:02}:00"
    if bucket.first == bucket.last:
        return _date(bucket.first, "EEE d MMM")
    return days_words(bucket.first, bucket.last)


def span_words(span: Span) -> str:
    return days_words(span.first, span.last)


def days_words(first: date, last: date) -> str:
    """ "22 Oct – 20 Nov 2026"."""
    if first == last:
        return _date(first, "d MMM y")
    same_year = first.year == last.year
    return f"{_date(first, 'd MMM' if same_year else 'd MMM y')} – {_date(last, 'd MMM y')}"


def _date(day: date, pattern: str) -> str:
    return str(format_date(day, pattern, locale=language()))
