"""One world, one size of pool: what the product, the two rules and the perfect judge say, and the truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bench.attribution.bayes import PerfectJudge, Posterior
from bench.attribution.dialled import Rang
from bench.attribution.product import Product
from bench.attribution.rules import oldest_number, random_free
from bench.attribution.scores import Judged, Scores, Verdict, score
from bench.attribution.world import World


@dataclass(frozen=True)
class Kind:
    """Calls of one kind: how many, named right by the product and by the perfect judge, what that costs."""

    calls: int
    right: float
    limit: float
    lost: float


@dataclass(frozen=True)
class Measured:
    """The figures of one size of pool. `limit` and `lost` are expectations, which vary less than counts.

    `limit`: the mean of the perfect judge's greatest probabilities; `lost`: the mean of what he gives less to
    the visit that the product names.
    """

    lines: int
    ours: Scores
    random: Scores
    oldest: Scores
    perfect: Scores
    limit: float
    lost: float
    kinds: dict[str, Kind]
    verdicts: tuple[Verdict, ...]


def measure(world: World, lines: int, seed: int) -> Measured:
    """Live through the world with so many numbers."""
    product = Product(world, lines)
    lived = product.live()
    judge = PerfectJudge(world, product.shown)
    known = {rang.dial.number: judge.judge(rang) for rang, _ in lived if rang.line is not None}
    late = [each for each in lived if _counts(world, each[0])]
    rung = [each for each in late if each[0].line is not None]
    return Measured(
        lines=lines,
        ours=score(late),
        random=score([each for each in random_free(world, lines, seed) if _counts(world, each[0])]),
        oldest=score([each for each in oldest_number(world, lines) if _counts(world, each[0])]),
        perfect=score([(rang, _best(known.get(rang.dial.number, {None: 1.0}))) for rang, _ in late]),
        limit=_mean([max(known[rang.dial.number].values()) for rang, _ in rung]),
        lost=_mean([_loss(known[rang.dial.number], said) for rang, said in rung]),
        kinds=_kinds(rung, known),
        verdicts=tuple(rung),
    )


def _counts(world: World, rang: Rang) -> bool:
    return rang.dial.at >= world.seconds / 2


def _best(posterior: Posterior) -> Judged:
    best = max(posterior, key=lambda visit: posterior[visit])
    return Judged(best, None if best is None else posterior[best])


def _loss(posterior: Posterior, said: Judged) -> float:
    return max(posterior.values()) - posterior.get(said.visit, 0.0)


def _kinds(rung: Sequence[Verdict], known: dict[int, Posterior]) -> dict[str, Kind]:
    by_kind: dict[str, list[Verdict]] = defaultdict(list)
    for rang, said in rung:
        by_kind[_kind(rang)].append((rang, said))
    return {
        kind: Kind(
            len(verdicts),
            _mean([float(said.visit == rang.truth) for rang, said in verdicts]),
            _mean([float(_best(known[rang.dial.number]).visit == rang.truth) for rang, _ in verdicts]),
            _mean([_loss(known[rang.dial.number], said) for rang, said in verdicts]),
        )
        for kind, verdicts in by_kind.items()
    }


def _kind(rang: Rang) -> str:
    if rang.caller is None:
        return "withheld"
    if rang.is_known and rang.dial.cause != "again":
        return "known, new visit"
    return rang.dial.cause


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))
