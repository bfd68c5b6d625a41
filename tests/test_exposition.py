"""Figures as Prometheus reads them."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.policy.exposition import Family, Kind, Metric, Sample, Spread, text_of
from tracker.policy.metrics import ALL, METRICS, NAMED

LINE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)')


def gauge(*labels: str) -> Metric:
    return Metric("ll_things", Kind.GAUGE, "Things\\and\nmore", labels)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (True, "1"), (0.0, "0"), (0.25, "0.25"), (-3, "-3"), (1e21, "1e+21"), (math.nan, "NaN"),
     (math.inf, "+Inf"), (-math.inf, "-Inf"), (1795176000, "1795176000")],
)  # fmt: skip
def test_a_value_is_written_as_go_reads_it(value: float, text: str) -> None:
    assert text_of([Family(gauge(), [Sample((), value)])]).splitlines()[-1] == f"ll_things {text}"


def test_a_metric_says_what_it_is_and_one_without_samples_is_left_out() -> None:
    families = [Family(gauge("node"), [Sample(('a"\\\n',), 2)]), Family(gauge(), [])]
    assert text_of(families) == (
        '# HELP ll_things Things\\\\and\\nmore\n# TYPE ll_things gauge\nll_things{node="a\\"\\\\\\n"} 2\n'
    )


def test_a_histogram_adds_up_from_bucket_to_bucket() -> None:
    metric = Metric("ll_wait_seconds", Kind.HISTOGRAM, "Waits", ("node",), (0.1, 1.0))
    lines = text_of([Family(metric, [Sample(("main",), Spread((2, 0, 1), 3.5))])]).splitlines()[2:]
    assert lines == [
        'll_wait_seconds_bucket{node="main",le="0.1"} 2',
        'll_wait_seconds_bucket{node="main",le="1"} 2',
        'll_wait_seconds_bucket{node="main",le="+Inf"} 3',
        'll_wait_seconds_sum{node="main"} 3.5',
        'll_wait_seconds_count{node="main"} 3',
    ]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.floats(allow_nan=False))
def test_whatever_a_label_holds_the_line_is_one_and_reads_back(label: str, value: float) -> None:
    text = text_of([Family(Metric("ll_x", Kind.GAUGE, "x", ("name",)), [Sample((label,), value)])])
    line = text.split("\n")[2]
    assert text.count("\n") == 3
    found = re.fullmatch(r'll_x\{name="((?:[^"\\]|\\.)*)"\} (\S+)', line, re.DOTALL)
    assert found
    unescaped = re.sub(r"\\(.)", lambda it: {"n": "\n"}.get(it[1], it[1]), found[1])
    assert (unescaped, float(found[2])) == (label, value)


def test_names_follow_the_conventions() -> None:
    """Those that promtool's `check metrics` knows."""
    assert len(METRICS) == len(ALL)
    for metric in ALL:
        assert re.fullmatch(r"leaseline_[a-z]+(_[a-z]+)*", metric.name)
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert not re.search(r"_(count|sum|bucket|ms|milliseconds|minutes|mb|kb|percent)$", metric.name)
        assert not metric.about[0].islower()
        assert not metric.about.endswith(".")
        assert ("quantile" in metric.labels) == (metric.kind is Kind.SUMMARY)
        assert "le" not in metric.labels
        assert bool(metric.bounds) == (metric.kind is Kind.HISTOGRAM)
        assert list(metric.bounds) == sorted(set(metric.bounds))
        names = {"company", "name"} & set(metric.labels)
        assert bool(names) == (metric.name in NAMED), "whoever may scrape without a token learns a name"
