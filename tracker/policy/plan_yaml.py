"""A plan's document as text: YAML as people type it into a page, and written for them to change.

document = read_text("start: sales\\nsteps: …")
write_text(document)
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import yaml

from tracker.errors import Rejected, Said, say

LONGEST = 60_000  # characters; sixty steps that say all they may are shorter

DEEPEST = 20  # lists in lists; a plan has five


class _Loader(yaml.SafeLoader):
    """Refuses what a plan needs never: a name that stands for a part, which may grow without end; a name
    given twice, of which only the last would count."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            line = self.line + 1  # of the reader, who is at the alias
            raise _no_yaml(say("line %(line)s refers to another part with “*”", line=line))
        self._depth += 1
        if self._depth > DEEPEST:
            raise _no_yaml(say("it cannot be read"))
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set[str]()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                line = key.start_mark.line + 1
                raise _no_yaml(say("line %(line)s names “%(name)s” again", line=line, name=key.value[:40]))
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
        return super().construct_mapping(node, deep)


# Days stay as they are typed: of 2027-02-30 YAML itself would say no more than that it is none.
_Loader.yaml_implicit_resolvers = {
    first: [each for each in found if each[0] != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_text(text: str) -> object:
    """The document of that text. Raises Rejected plan.yaml, with the line."""
    if len(text) > LONGEST:
        raise Rejected(
            "plan.yaml", "%(count)s characters are too many", "Make several plans of it", count=len(text)
        )
    try:
        return yaml.load(text, _Loader)  # noqa: S506  (a safe loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _no_yaml(say("line %(line)s: %(told)s", line=line, told=str(error.problem))) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise _no_yaml(say("it cannot be read")) from None


def write_text(document: Mapping[str, Any]) -> str:
    """The document as it is changed by hand."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=90)


def lines_of(text: str) -> dict[str, int]:
    """On which line each step begins; nothing where the text cannot be read."""
    try:
        node = yaml.compose(text[:LONGEST], _Loader)
    except (yaml.YAMLError, Rejected):
        return {}
    steps = next((value for key, value in _pairs(node) if key.value == "steps"), None)
    return {str(key.value): key.start_mark.line + 1 for key, _ in _pairs(steps)}


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return list(node.value) if isinstance(node, yaml.MappingNode) else []


def _no_yaml(why: Said) -> Rejected:
    return Rejected(
        "plan.yaml",
        "This is no YAML: %(why)s",
        "Write a name, a colon and a value on each line; what belongs together stands equally far in",
        why=why,
    )
