"""The alert rules and the dashboard speak of metrics, labels and words that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tracker.metrics import QUEUES
from tracker.models import RecordingState
from tracker.policy.exposition import Kind
from tracker.policy.leasing import Miss
from tracker.policy.metrics import METRICS
from tracker.settings import CHECKOUT

FOLDER = CHECKOUT / "docs" / "monitoring"
RULES, DASHBOARD = FOLDER / "leaseline-alerts.yml", FOLDER / "leaseline-dashboard.json"

SELECTOR = re.compile(r"\b(leaseline_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!=|=)"([^"]*)"')
BY = re.compile(r"\b(?:by|without|on|ignoring|group_left)\s*\(([^)]*)\)")
WORDS: dict[str, set[str]] = {
    "reason": set(Miss), "quantile": {"0.5", "0.95"}, "party": {"employee", "visitor"}, "queue": set(QUEUES),
    "state": {*RecordingState, "leased", "free", "resting", "quarantined"}, "result": {"served", "failed"},
    "route": {"inbound", "outgoing", "ping"},
}  # fmt: skip


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel.get("targets", ()))


def base_of(name: str) -> str:
    """The metric that a name in an expression is a series of."""
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return base if base in METRICS and METRICS[base].kind is Kind.HISTOGRAM else name


def mistakes(expression: str) -> Iterator[str]:
    """What the expression names that there is not."""
    labels: set[str] = {"job", "instance"}
    for name, matchers in SELECTOR.findall(expression):
        metric = METRICS.get(base_of(name))
        if metric is None:
            yield f"there is no {name}"
            continue
        labels |= {*metric.labels, "le"}
        alone = not re.search(rf"(rate|increase)\({name}", expression) and expression != name
        if metric.kind is Kind.COUNTER and alone:
            yield f"{name} only ever grows"
        for label, sign, value in MATCHER.findall(matchers):
            if label not in metric.labels:
                yield f"{name} has no {label}"
            known = WORDS.get(label)
            words = value.split("|") if sign == "=~" else [value]
            yield from (f"{label} is never {word}" for word in words if known and word not in known)
    for inside in BY.findall(expression):
        yield from (f"nothing has {it}" for it in re.findall(r"\w+", inside) if it not in labels)


def test_rules_and_panels_name_only_what_there_is() -> None:
    assert {it: list(mistakes(it)) for it in expressions() if list(mistakes(it))} == {}


@pytest.mark.parametrize(
    "expression",
    ["leaseline_nodes_up == 0", 'leaseline_node_up{trunk="1"}',
     'rate(leaseline_misses_total{reason="empty"}[1h])', "sum by (pool) (leaseline_calls_live)",
     "sum(leaseline_misses_total)", "leaseline_node_up_count"],
)  # fmt: skip
def test_a_mistake_is_found(expression: str) -> None:
    assert list(mistakes(expression))


def test_every_metric_that_tells_of_trouble_is_seen_somewhere() -> None:
    seen = {base_of(name) for it in expressions() for name, _ in SELECTOR.findall(it)}
    names = {it for it in METRICS if it.endswith("_info") or "company" in it}
    assert METRICS.keys() - seen - names == {"leaseline_database_up", "leaseline_disk_size_bytes"} - seen


def test_every_rule_says_how_grave_it_is_and_the_manual_what_to_do() -> None:
    manual = (CHECKOUT / "docs" / "operations.md").read_text()
    names = [rule["alert"] for rule in rules()]
    assert sorted(names) == sorted(re.findall(r"`(Leaseline[A-Z]\w+)`", manual))
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"].endswith(".")


def test_panels_have_a_place_and_a_name_of_their_own() -> None:
    found = panels()
    assert len({it["id"] for it in found}) == len(found)
    cells = [
        (at["x"] + x, at["y"] + y)
        for at in (it["gridPos"] for it in found) for x in range(at["w"]) for y in range(at["h"])
    ]  # fmt: skip
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    within: list[str] = []
    for it in found:
        within = [] if it["type"] == "row" else [*within, it["title"]]
        assert len(set(within)) == len(within)
