"""Figures in the words of Prometheus: metrics, their samples, and the text that a scrape is answered with.

The text is version 0.0.4 of the exposition format
(https://prometheus.io/docs/instrumenting/exposition_formats/).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Kind(enum.StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"  # of which we tell the quantiles alone


@dataclass(frozen=True)
class Metric:
    """What is told under one name. `bounds` are a histogram's, in its unit, the infinite one left out."""

    name: str
    kind: Kind
    about: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Spread:
    """How many values fell between a histogram's bounds (one count more than bounds), and their sum."""

    counts: tuple[int, ...]
    sum: float


@dataclass(frozen=True)
class Sample:
    """A value under these values of its metric's labels, in their order."""

    labels: tuple[str, ...]
    value: float | Spread


@dataclass(frozen=True)
class Family:
    """A metric and all its samples."""

    metric: Metric
    samples: Sequence[Sample] = field(default=())


def text_of(families: Iterable[Family]) -> str:
    """The answer to a scrape; a metric without samples is left out."""
    return "".join(f"{line}\n" for it in families if it.samples for line in _lines(it))


def _lines(family: Family) -> Iterator[str]:
    metric = family.metric
    yield f"# HELP {metric.name} {_escaped(metric.about)}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for sample in family.samples:
        pairs = list(zip(metric.labels, sample.labels, strict=True))
        if isinstance(sample.value, Spread):
            yield from _buckets(metric, pairs, sample.value)
        else:
            yield f"{metric.name}{_braces(pairs)} {_number(sample.value)}"


def _buckets(metric: Metric, pairs: list[tuple[str, str]], spread: Spread) -> Iterator[str]:
    """Each bucket holds all that the smaller ones hold."""
    total = 0
    for bound, count in zip((*metric.bounds, math.inf), spread.counts, strict=True):
        total += count
        yield f"{metric.name}_bucket{_braces([*pairs, ('le', _number(bound))])} {total}"
    yield f"{metric.name}_sum{_braces(pairs)} {_number(spread.sum)}"
    yield f"{metric.name}_count{_braces(pairs)} {total}"


def _braces(pairs: Sequence[tuple[str, str]]) -> str:
    if not pairs:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value, quote=True)}"' for name, value in pairs) + "}"


def _escaped(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value))
