"""`make bench`, `make bench ONLY=name`: runs the benchmarks; each ends with one line `name key=value …`."""

from __future__ import annotations

import importlib
import sys

BENCHMARKS = ("call_path", "leases", "script", "attribution", "pages", "reports", "outbox")


def main(names: list[str]) -> int:
    """Run the named benchmarks, all without a name; exit status 2 for a name there is none of."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"bench: no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        print(f"== {name}", flush=True)
        figures = importlib.import_module(f"bench.{name}").run()
        print(name, " ".join(f"{key}={value:.4g}" for key, value in figures.items()), flush=True)
    return 0


sys.exit(main(sys.argv[1:]))
