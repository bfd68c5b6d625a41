"""docs/api.md, written from the API's own OpenAPI document."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from web.rest.guide import Entry, Field

HEAD = """\
# The API

Written by `leaseline docs` from the operations themselves: change those, not this page. The same is served
by your installation, with every field and answer: to read and try at `/api/docs`, as an OpenAPI 3.1 document
for programs at `/api/v1/openapi.json`. How it is used, with examples: [integrator.md](integrator.md#the-api).

"""


def api_page() -> str:
    """Every operation: its address, what a key must be for, its words, its body, what it answers."""
    from web.rest.guide import chapters

    its = _document()
    lines = [HEAD + its["info"]["description"]]
    for chapter in chapters(its):
        lines.append(f"## {chapter.name}\n")
        for entry in chapter.entries:
            lines += _operation(entry)
    return "\n".join(lines)


def _document() -> dict[str, Any]:
    from tracker.database import Database
    from tracker.settings import read_settings
    from web.app import create_app
    from web.rest.document import document

    with tempfile.TemporaryDirectory() as home:
        settings = read_settings({"LEASELINE_HOME": home})
        return document(create_app(settings, Database("sqlite://")), "https://calls.example.com")


def _operation(it: Entry) -> Iterator[str]:
    yield f"### `{it.method} {it.path.replace('{', '<').replace('}', '>')}`\n"
    scopes = " and ".join(f"`{each}`" for each in it.scopes)
    yield f"{it.summary}. {it.description}".strip() + f" *Scope:* {scopes}.\n"
    words = [each for each in it.words if each.name != "company"]
    if words:
        yield "| word | |\n|---|---|"
        yield from (f"| `{each.name}` | {_meant(each)} |" for each in words)
        yield ""
    yield from _told("Body", it.body)
    yield from _told("Answer", it.answer)


def _told(title: str, fields: Sequence[Field]) -> Iterator[str]:
    plain = [each for each in fields if "." not in each.name]
    if plain:
        optional = title == "Body"
        names = (
            f"`{each.name}`{'?' if optional and not each.needed else ''} ({each.kind})" for each in plain
        )
        yield f"{title}: {', '.join(names)}.\n"


def _meant(word: Field) -> str:
    kind = "" if word.kind == "string" else word.kind
    return "; ".join(each for each in (word.text, kind) if each).replace("|", "\\|")
