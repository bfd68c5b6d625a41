"""How many calls are put down to the right visit: the product, two rules of others, and the best possible.

A world with known truth (world, drawn from process) is lived through with pools from starved to ample: by the
product's real leases, judge and learning (product), and by two rules of others (rules). A perfect judge
(bayes) who knows the process, sees what the product sees, and has the product's leases, says what can be
known at all. Counted are the calls of the second half of the time; the product has the first to learn from.

LEASELINE_BENCH_DAYS, LEASELINE_BENCH_POOLS (`6,11,…`), LEASELINE_BENCH_SEED: a longer or another world.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from bench.attribution.measure import measure
from bench.attribution.process import Process
from bench.attribution.report import figures, show
from bench.attribution.world import draw_world

DAYS, SEED = 14.0, 1
POOLS = (6, 11, 16, 22, 30)


def run() -> dict[str, float]:
    """All figures of DESIGN.md's contract for attribution, at the size that market rules of thumb ask for."""
    days = float(os.environ.get("LEASELINE_BENCH_DAYS", DAYS))
    seed = int(os.environ.get("LEASELINE_BENCH_SEED", SEED))
    pools = [int(each) for each in os.environ.get("LEASELINE_BENCH_POOLS", "").split(",") if each] or POOLS
    world = draw_world(Process(), days, max(pools), seed)
    print(
        f"{days:g} days (counted: the second half), seed {seed}:"
        f" {len(world.visits)} visits, {len(world.dials)} calls",
        flush=True,
    )
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        measured = list(workers.map(partial(measure, world, seed=seed), pools))
    show(measured)
    return figures(measured)
