"""Every metric there is, by name: what `/metrics` tells, what docs/operations.md and the dashboard speak of.

No label names a caller, and none a company, a pool or a carrier by its name, save in the metrics of `NAMED`:
those are told to who shows the token of `metrics_token` and to nobody else.
"""

from __future__ import annotations

from collections.abc import Callable

from tracker.policy.exposition import Kind, Metric

_SESSION = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8, 1.0)
_LOOK_UP = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def _metric(kind: Kind) -> Callable[..., Metric]:
    def make(name: str, about: str, *labels: str, bounds: tuple[float, ...] = ()) -> Metric:
        return Metric(f"leaseline_{name}", kind, about, labels, bounds)

    return make


_counter, _gauge = _metric(Kind.COUNTER), _metric(Kind.GAUGE)
_histogram, _summary = _metric(Kind.HISTOGRAM), _metric(Kind.SUMMARY)

ALL = (
    # The installation
    _gauge("build_info", "Always 1; the version that answers", "version"),
    _gauge("database_up", "1 when the books could be read for this scrape"),
    _gauge("database_read_seconds", "How long the database took to answer this scrape's first question"),
    _gauge("database_write_seconds", "How long the worker's last commit of one row took", "node"),
    _gauge("process_up", "1 when the process has given a sign of life lately", "node", "process"),
    _gauge(
        "process_seen_timestamp_seconds", "When the process gave its last sign of life", "node", "process"
    ),
    _gauge("disk_free_bytes", "Room on the disk of a folder", "node", "folder"),
    _gauge("disk_size_bytes", "Size of the disk of a folder", "node", "folder"),
    _gauge("alerts_open", "Leaseline's own alerts that are going on, by kind", "kind"),
    _gauge("job_failures", "How often in a row a job of the worker has failed", "node", "job"),
    _gauge("job_seconds", "How long a job of the worker took the last time", "node", "job"),
    # Calls
    _counter(
        "calls_total", "Calls in the books that came in and are over, by outcome, spam among them", "outcome"
    ),
    _gauge("calls_open", "Calls that the books hold open"),
    _gauge("calls_live", "Calls up at this moment, as Asterisk says", "node"),
    _gauge(
        "calls_unasked",
        "Calls of the last hour that rang by the rendered plan: the call server was not asked or not in time",
        "node",
    ),
    _counter("refusals_total", "Calls turned away before they became one"),
    # Asterisk
    _gauge("node_up", "1 when the agi process is alive and connected to its Asterisk by AMI", "node"),
    _gauge("asterisk_start_timestamp_seconds", "When the node's Asterisk was started", "node"),
    _gauge(
        "trunk_up",
        "1 when the carrier answers and lets us log in, as Asterisk said within the last minutes",
        "node",
        "trunk",
    ),
    # The call server
    _gauge("agi_up", "1 when the call server answered the worker's question", "node"),
    _histogram(
        "agi_session_seconds",
        "How long Asterisk's questions took to answer, and whether they were",
        "node",
        "route",
        "result",
        bounds=_SESSION,
    ),
    _counter(
        "agi_failures_total",
        "Sessions that ended with `failure`, strangers and malformed ones among them",
        "node",
    ),
    _histogram(
        "agi_lookup_seconds", "How long the database took to say who should ring", "node", bounds=_LOOK_UP
    ),
    _gauge("agi_readers_stuck", "Threads of the call server that a hung database keeps", "node"),
    _counter("agi_facts_dropped_total", "Facts the call server left to the spool to write down", "node"),
    # The books
    _gauge("spool_age_seconds", "Age of the oldest line of the spool that is not in the books", "node"),
    _counter("quarantined_lines_total", "Spool lines that could not be understood"),
    # Recordings
    _gauge("recordings", "Recordings, by state", "state"),
    _gauge(
        "recording_pending_seconds",
        "How long the oldest call that waits for its recording has been over; 0 when none does",
    ),
    # The website's visitors
    _counter("visits_total", "Visits of websites"),
    _counter("page_views_total", "Pages opened in visits"),
    _gauge("leases_open", "Numbers leased to a visit now"),
    _gauge(
        "pool_numbers",
        "A pool's numbers by what they are at: leased, free, resting, quarantined",
        "pool",
        "state",
    ),
    _counter("misses_total", "Requests answered without a number of the visitor's own, by reason", "reason"),
    # Messages that go out
    _gauge("queue_messages", "Messages that wait to be sent", "queue"),
    _gauge("queue_age_seconds", "Age of the oldest message that waits; 0 when none does", "queue"),
    _gauge("queue_given_up", "Messages given up within the last day", "queue"),
    # Destinations
    _gauge(
        "destination_up",
        "1 while it takes calls; 0 while it fails, is to be connected, or wants no more",
        "destination",
    ),
    _gauge("destination_waiting", "Deliveries that wait, those held by its clock included", "destination"),
    _gauge("destination_age_seconds", "Since when the oldest delivery is due; 0 when none is", "destination"),
    _gauge("destination_failed", "Deliveries given up within the last day", "destination"),
    # Callbacks
    _summary(
        "callback_wait_seconds",
        "From the promise to the first ring of the employee's and the visitor's phone, in the last day",
        "party",
        "quantile",
    ),
    _gauge("callbacks", "Callbacks asked for in the last day, by state", "state"),
    # With the token only
    _counter("company_calls_total", "As leaseline_calls_total, by company", "company", "outcome"),
    _gauge("pool_info", "Always 1; the name of a pool, and whose it is", "pool", "company", "name"),
    _gauge(
        "destination_info",
        "Always 1; the name and kind of a destination, and whose it is",
        "destination",
        "company",
        "kind",
        "name",
    ),
    _gauge("trunk_info", "Always 1; the name of a trunk", "trunk", "name"),
)

METRICS = {metric.name: metric for metric in ALL}
NAMED = frozenset(
    {
        "leaseline_company_calls_total",
        "leaseline_destination_info",
        "leaseline_pool_info",
        "leaseline_trunk_info",
    }
)
