"""docs/api.md, written from the API's own OpenAPI document."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

HEAD = """\
# The API

Written by `leaseline docs` from the operations themselves: change those, not this page. The same, with every
shape, is served by your installation: a page to read and try at `/api/docs`, an OpenAPI 3.1 document for
programs at `/api/v1/openapi.json`. How it feels to use, with examples: [integrator.md](integrator.md#http).

"""


def api_page() -> str:
    """Every operation: its address, what a key must be for, its words, its body, what it answers."""
    its = _document()
    lines = [HEAD + its["info"]["description"]]
    for tag in its["tags"]:
        lines.append(f"## {tag['name']}\n")
        for path, methods in its["paths"].items():
            for method, it in methods.items():
                if tag["name"] in it["tags"]:
                    lines += _operation(method.upper(), path, it, its["components"]["schemas"])
    return "\n".join(lines)


def _document() -> dict[str, Any]:
    from tracker.database import Database
    from tracker.settings import read_settings
    from web.app import create_app
    from web.rest.document import document

    with tempfile.TemporaryDirectory() as home:
        settings = read_settings({"LEASELINE_HOME": home})
        return document(create_app(settings, Database("sqlite://")), "https://calls.example.com")


def _operation(method: str, path: str, it: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    yield f"### `{method} {path.replace('{', '<').replace('}', '>')}`\n"
    yield f"{it['summary']}. {it['description']}\n".replace(". Scope:", ".\n\nScope:")
    words = [each for each in it["parameters"] if each["in"] == "query" and each["name"] != "company"]
    if words:
        yield "| word | |\n|---|---|"
        yield from (f"| `{each['name']}` | {_meant(each, each['schema'])} |" for each in words)
        yield ""
    if "requestBody" in it:
        content = it["requestBody"]["content"]["application/json"]
        yield from _shape("Body", content["schema"], schemas)
    for status, answer in it["responses"].items():
        for kind, content in answer.get("content", {}).items():
            if status < "300" and kind == "application/json":
                yield from _shape("Answer", content["schema"], schemas)


def _shape(title: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    fields = schemas.get(name, {}).get("properties", {})
    needed = schemas.get(name, {}).get("required", ())
    if not fields:
        return
    told = [
        f"`{key}`" + ("" if key in needed or title == "Answer" else "?") + f" {_kind(own)}"
        for key, own in fields.items()
    ]
    yield f"{title} `{name}`: {'; '.join(told)}.\n"


def _kind(schema: Mapping[str, Any]) -> str:
    """A field's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " / ".join(f"`{each}`" for each in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "anything"))


def _meant(word: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    text = word.get("description", "")
    kind = "" if schema.get("type") == "string" and "format" not in schema else _kind(schema)
    return "; ".join(each for each in (text, kind) if each).replace("|", "\\|")
