"""The API's document as people read it: chapters of operations, with their words and fields in plain rows.

One reading for the page (`/api/docs`) and for docs/api.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

REFERENCE = "#/components/schemas/"
DEEPEST = 3  # fields within fields


@dataclass(frozen=True)
class Field:
    """A word of an address, or a field of a body: `calls[].source.medium`."""

    name: str
    kind: str
    needed: bool
    text: str


@dataclass(frozen=True)
class Entry:
    """One operation."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    scopes: tuple[str, ...]
    places: tuple[str, ...]
    words: tuple[Field, ...]
    body: tuple[Field, ...]
    answer: tuple[Field, ...]
    statuses: tuple[tuple[str, str], ...]
    example: str


@dataclass(frozen=True)
class Chapter:
    name: str
    entries: tuple[Entry, ...]


def chapters(document: Mapping[str, Any]) -> list[Chapter]:
    """The operations of the document, by what they are about."""
    found: dict[str, list[Entry]] = {}
    for path, methods in document["paths"].items():
        for method, it in methods.items():
            found.setdefault(it["tags"][0], []).append(_entry(document, path, method.upper(), it))
    return [Chapter(name, tuple(found[name])) for name in sorted(found)]


def _entry(document: Mapping[str, Any], path: str, method: str, it: Mapping[str, Any]) -> Entry:
    schemas = document["components"]["schemas"]
    body = _schema(it.get("requestBody", {}))
    done: Mapping[str, Any] = next((each for status, each in it["responses"].items() if status < "300"), {})
    return Entry(
        id=it["operationId"],
        method=method,
        path=path,
        summary=it["summary"],
        description=it["description"].rpartition("Scope: ")[0].strip(),
        scopes=(it["x-scope"], *it["x-scopes-besides"]),
        places=tuple(each["name"] for each in it["parameters"] if each["in"] == "path"),
        words=tuple(_word(each, schemas) for each in it["parameters"] if each["in"] == "query"),
        body=tuple(_fields(body, schemas)),
        answer=tuple(_fields(_schema(done), schemas)),
        statuses=tuple((status, each["description"]) for status, each in it["responses"].items()),
        example=_example(document["servers"][0]["url"], method, path, body, schemas),
    )


def _schema(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """The shape of a body or an answer in JSON; nothing where it is none."""
    found: Mapping[str, Any] = told.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _word(told: Mapping[str, Any], schemas: Mapping[str, Any]) -> Field:
    return Field(told["name"], _kind(told["schema"], schemas), told["required"], told.get("description", ""))


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int = 0) -> Iterator[Field]:
    own = _resolved(schema, schemas)
    if "oneOf" in own:
        yield from _of_kinds([_resolved(each, schemas) for each in own["oneOf"]], schemas)
    for name, told in own.get("properties", {}).items():
        text = told.get("description", "")
        yield Field(name, _kind(told, schemas), name in own.get("required", ()), text)
        inner, sign = _inner(told, schemas)
        if depth + 1 < DEEPEST and inner:
            for each in _fields(inner, schemas, depth + 1):
                yield Field(f"{name}{sign}.{each.name}", each.kind, each.needed, each.text)


def _of_kinds(kinds: Sequence[Mapping[str, Any]], schemas: Mapping[str, Any]) -> Iterator[Field]:
    """The fields of a body that is one of several kinds; what only some of them have says which."""
    found: dict[str, list[tuple[str, Field]]] = {}
    for own in kinds:
        word = str(own["properties"].get("kind", {}).get("const", ""))
        for each in _fields(own, schemas):
            found.setdefault(each.name, []).append((word, each))
    for name, its in found.items():
        first = its[0][1]
        words = [word for word, _ in its]
        kind = ", ".join(words) if name == "kind" else first.kind
        of = f"Of {', '.join(words)}. " if len(its) < len(kinds) else ""
        yield Field(name, kind, all(each.needed for _, each in its), of + first.text)


def _inner(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """What is within a field, and how that is written: of a list its items, of a choice the one object."""
    own = _resolved(schema, schemas)
    if own.get("type") == "array":
        return _inner(own.get("items", {}), schemas)[0], "[]"
    kinds = [it for it in own.get("anyOf", ()) if it.get("type") != "null"]
    if len(kinds) == 1:
        return _inner(kinds[0], schemas)
    return (own, "") if "properties" in own else ({}, "")


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        found: Mapping[str, Any] = schemas.get(schema["$ref"].removeprefix(REFERENCE), {})
        return found
    return schema


def _kind(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """A field's type in a few words."""
    own = _resolved(schema, schemas)
    if kinds := own.get("anyOf") or own.get("oneOf"):
        return " or ".join(dict.fromkeys(_kind(each, schemas) for each in kinds))
    if "enum" in own:
        return ", ".join(str(each) for each in own["enum"])
    if "const" in own:
        return str(own["const"])
    if own.get("type") == "array":
        return f"list of {_kind(own.get('items', {}), schemas)}"
    return str(own.get("format") or own.get("type", "anything")).replace("date-time", "instant")


def _example(url: str, method: str, path: str, body: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    lines = ["curl" if method == "GET" else f"curl -X {method}", '  -H "Authorization: Bearer $KEY"']
    own = _resolved(body, schemas)
    own = _resolved(own["oneOf"][0], schemas) if "oneOf" in own else own
    if own:
        needed = own.get("required") or list(own.get("properties", {}))[:1]
        told = {name: _sample(own["properties"][name], schemas) for name in needed}
        lines += ['  -H "Content-Type: application/json"', f"  -d '{json.dumps(told, ensure_ascii=False)}'"]
    return " \\\n".join([*lines, f'  "{url}{path}"'])


def _sample(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    own = _resolved(schema, schemas)
    if examples := own.get("examples"):
        return examples[0]
    if "default" in own:
        return own["default"]
    if kinds := own.get("anyOf") or own.get("oneOf"):
        return _sample(kinds[0], schemas)
    if "enum" in own:
        return own["enum"][0]
    if "const" in own:
        return own["const"]
    samples: dict[str, Any] = {"integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    return samples.get(own.get("type", ""), "…")
