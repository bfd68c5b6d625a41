"""Who is one person: browsers and telephones that belong together.

    persons = join([(visitor_id, "+74951234567"), …])
    persons.of(visitor_id, phone)

Each pair is a call that a visitor made from a telephone; give only those whose source is sure. Whoever calls
from two browsers with one telephone, or from two telephones with one browser, is one person (SR-068), and so
on along the chain. A telephone that too many visitors call from is a call centre's or an office's, and a
browser with too many telephones stands in a shop: these join nobody, whatever else they are paired with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

# Of one telephone: browsers forget their cookies within weeks, so a person has several in a year.
MOST_VISITORS = 10
MOST_PHONES = 5  # of one browser

Node = tuple[str, Hashable]


@dataclass(frozen=True)
class Persons:
    """Whom the pairs join; who is in none of them is a person of his own."""

    names: Mapping[Node, str]

    def of(self, visitor_id: int | None, phone: str | None) -> str | None:
        """The person of a visit or a call: of its visitor, else of its telephone; None: nobody can know.

        A call that is attributed to a visitor is his, though he made it from an office's telephone.
        """
        if visitor_id is not None:
            return self.names.get(("visitor", visitor_id), _name(("visitor", visitor_id)))
        return None if phone is None else self.names.get(("phone", phone), _name(("phone", phone)))


def join(
    pairs: Iterable[tuple[int | None, str | None]],
    most_visitors: int = MOST_VISITORS,
    most_phones: int = MOST_PHONES,
) -> Persons:
    """The persons behind pairs of a visitor and a telephone, in any order; a withheld number joins nobody.

    A person is named for his first visitor.
    """
    links = {(visitor, phone) for visitor, phone in pairs if visitor is not None and phone is not None}
    visitors_of, phones_of = defaultdict(set), defaultdict(set)
    for visitor, phone in links:
        visitors_of[phone].add(visitor)
        phones_of[visitor].add(phone)
    groups = _Groups()
    for visitor, phone in links:
        if len(visitors_of[phone]) <= most_visitors and len(phones_of[visitor]) <= most_phones:
            groups.unite(("visitor", visitor), ("phone", phone))
    return Persons(groups.names())


class _Groups:
    """Union-find, by halving paths."""

    def __init__(self) -> None:
        self._parents: dict[Node, Node] = {}

    def _root(self, node: Node) -> Node:
        parents = self._parents
        parents.setdefault(node, node)
        while parents[node] != node:
            parents[node] = node = parents[parents[node]]
        return node

    def unite(self, one: Node, other: Node) -> None:
        self._parents[self._root(one)] = self._root(other)

    def names(self) -> dict[Node, str]:
        groups: defaultdict[Node, list[Node]] = defaultdict(list)
        for node in self._parents:
            groups[self._root(node)].append(node)
        return {node: _name(min(group, key=_rank)) for group in groups.values() for node in group}


def _rank(node: Node) -> tuple[bool, int]:
    kind, value = node
    return kind == "phone", value if isinstance(value, int) else 0


def _name(node: Node) -> str:
    return f"{node[0]} {node[1]}"
