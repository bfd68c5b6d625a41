"""What processes measure of themselves, on its way to `/metrics`: a row each, written every few seconds.

A process that ran on another machine, or has ended, cannot be asked when somebody looks: so it leaves its
figures in the database, and the page reads them there.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import ProcessFigures
from tracker.policy.exposition import Sample, Spread
from tracker.policy.metrics import METRICS

AGI, WORKER = "agi", "worker"
EVERY_SECONDS = 5.0
FRESH = timedelta(seconds=30)  # what is older says nothing of the present
FORGOTTEN = timedelta(days=7)  # a process unseen for so long was taken away

PREFIX = "leaseline_"

Labels = tuple[str, ...]
Figures = dict[str, list[Any]]


class Measured:
    """Figures of one process since it began: by metric, and by the values of its labels but the node.

    Names are those of METRICS without the `leaseline_`. Any thread may measure.
    """

    def __init__(self) -> None:
        self._values: dict[str, dict[Labels, float]] = {}
        self._spreads: dict[str, dict[Labels, list[float]]] = {}
        self._lock = threading.Lock()

    def set(self, name: str, value: float, *labels: str) -> None:
        """What it is now."""
        metric = METRICS[PREFIX + name]
        with self._lock:
            self._values.setdefault(metric.name, {})[labels] = value

    def observe(self, name: str, value: float, *labels: str) -> None:
        """One more value in a histogram; the last place holds the sum."""
        metric = METRICS[PREFIX + name]
        with self._lock:
            rows = self._spreads.setdefault(metric.name, {})
            row = rows.setdefault(labels, [0] * (len(metric.bounds) + 2))
            row[bisect_left(metric.bounds, value)] += 1
            row[-1] += value

    def forget(self, name: str) -> None:
        """It is not known any more."""
        with self._lock:
            self._values.pop(PREFIX + name, None)

    def figures(self) -> Figures:
        """All of it, as a row keeps it."""
        with self._lock:
            found: Figures = {
                name: [[*labels, value] for labels, value in rows.items()]
                for name, rows in self._values.items()
            }
            for name, spreads in self._spreads.items():
                found[name] = [
                    [*labels, {"counts": row[:-1], "sum": row[-1]}] for labels, row in spreads.items()
                ]
        return found


def publish(session: Session, node: str, process: str, figures: Figures, now: datetime) -> None:
    """Put a process's figures where `/metrics` looks."""
    session.merge(ProcessFigures(node=node, process=process, at=now, figures=figures))


def read_all(session: Session, now: datetime) -> list[ProcessFigures]:
    """The rows of all processes that have been seen this week, by node and name."""
    wanted = sa.select(ProcessFigures).where(ProcessFigures.at > now - FORGOTTEN)
    return list(session.scalars(wanted.order_by(ProcessFigures.node, ProcessFigures.process)))


def samples_of(row: ProcessFigures) -> Iterator[tuple[str, Sample]]:
    """Its figures by metric. What this version does not know, or knows otherwise, is left out."""
    for name, rows in row.figures.items():
        metric = METRICS.get(name)
        for *labels, value in rows if metric else ():
            if metric is None or len(labels) + 1 != len(metric.labels):
                continue
            if not isinstance(value, dict):
                yield name, Sample((row.node, *labels), value)
            elif len(value["counts"]) == len(metric.bounds) + 1:
                yield name, Sample((row.node, *labels), Spread(tuple(value["counts"]), value["sum"]))
