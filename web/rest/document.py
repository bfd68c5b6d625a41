"""The OpenAPI 3.1 document of the API, made from the operations as they are declared and routed.

Nothing of it is written by hand: addresses come from the routes, words and bodies from the shapes that check
them, texts from the views' own docstrings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from web.rest.operation import Operation, operation_of
from web.rest.shapes import Query, Refusal

SCHEMAS = "#/components/schemas/"
FORM = "application/x-www-form-urlencoded"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CHANGES = METHODS[1:]
TEXT = {"type": "string"}
EVENTS = "text/event-stream"  # OpenAPI 3.1 has no words for what comes event by event

ABOUT = """\
Everything that the pages can do, for programs. A program shows a key of one company as
`Authorization: Bearer KEY`; each key is for some of the scopes that stand beside the operations. Lists are
answered in pages: `next` of one is `cursor` of the following. Instants are ISO 8601 in UTC, amounts exact
decimals as texts. Whatever is refused has one shape: `error` with `id`, `message` and `fix`.

Every answer to GET has an `ETag`: with `If-None-Match` what you have already is answered 304. Where an
operation lists `If-Match`, a change is refused (412) if somebody was quicker; elsewhere that header is
refused. How a destination fares is nobody's change. Where one lists `Idempotency-Key`, it may be sent again
for a day with the same key: it is done once.
Costs, sales and reported calls need none: the same row told again changes nothing.
"""

MEANINGS = {
    304: "You have it already",
    400: "What was sent is not what is taken",
    401: "No key or log-in, or a wrong one",
    403: "The key or the role does not reach this far",
    404: "There is no such thing in this company",
    409: "It stands against what there is, or two changed it in the same moment",
    412: "It was changed since you looked",
    413: "More than is accepted",
    415: "The body is no JSON",
    422: "The Idempotency-Key came with another request",
    429: "Too many requests",
    503: "The books cannot be read right now",
}
HEADERS = {
    "RateLimit-Limit": "Requests that may be made at once",
    "RateLimit-Remaining": "How many are left",
    "RateLimit-Reset": "In how many seconds all of them are there again",
}


def document(app: Flask, url: str) -> dict[str, Any]:
    """The document, for an installation at that address."""
    found = sorted(_operations(app), key=lambda it: (it[0].rule, METHODS.index(it[1])))
    schemas, shapes = _schemas(it for _rule, _method, it in found)
    paths: dict[str, Any] = {}
    for rule, method, it in found:
        paths.setdefault(_path(rule), {})[method.lower()] = _operation(rule, method, it, shapes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Leaseline",
            "version": version("leaseline"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": url.rstrip("/")}],
        "security": [{"key": []}, {"password": []}, {"browser": []}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(rule) for rule, _method, _it in found)],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _security()},
    }


def _operations(app: Flask) -> Iterator[tuple[Rule, str, Operation]]:
    for rule in app.url_map.iter_rules():
        it = operation_of(app.view_functions.get(rule.endpoint))
        for method in METHODS:
            if it is not None and method in (rule.methods or set()):
                yield rule, method, it


def _path(rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def _tag(rule: Rule) -> str:
    """What an operation is about: the first part of its address."""
    return rule.rule.removeprefix("/api/v1/").split("/")[0]


def _scopes(it: Operation) -> str:
    besides = ", ".join(f"`{each}`" for each in it.besides)
    return f"`{it.scope}`, also {besides}" if besides else f"`{it.scope}`"


def _operation(rule: Rule, method: str, it: Operation, shapes: Mapping[Any, str]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "_").strip("_"),
        "tags": [_tag(rule)],
        "summary": it.summary,
        "description": f"{it.description}\n\nScope: {_scopes(it)}.".strip(),
        "x-scope": it.scope.value,
        "x-scopes-besides": [each.value for each in it.besides],
        "parameters": [*_path_words(rule), *_words(it), *_headers(method, it)],
        "responses": _responses(method, it, shapes),
    }
    if it.body is not None:
        schema = {"$ref": SCHEMAS + shapes[it.body, "validation"]}
        kinds = ("application/json", *((FORM,) if it.forms else ()))
        content = {kind: {"schema": schema} for kind in kinds} | {kind: {"schema": TEXT} for kind in it.also}
        told["requestBody"] = {"required": True, "content": content}
    return told


def _path_words(rule: Rule) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"<(?:\w+:)?(\w+)>", rule.rule):
        schema = {"type": "string", "minLength": 1, "maxLength": 200}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _words(it: Operation) -> Iterator[dict[str, Any]]:
    schema = it.query.model_json_schema(ref_template=SCHEMAS + "{model}")
    for name, own in schema.get("properties", {}).items():
        told = {"name": name, "in": "query", "required": name in schema.get("required", ())}
        if text := own.pop("description", None):
            told["description"] = text
        yield told | {"schema": _no_null(own)}


def _no_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The words of an address cannot be null: they are not there."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in {"anyOf", "title"}}
    if rest.get("default", "") is None:
        del rest["default"]
    if len(kinds) == 1:
        return kinds[0] | rest
    return rest | ({"anyOf": kinds} if kinds else {})


def _headers(method: str, it: Operation) -> Iterator[dict[str, Any]]:
    text = {"type": "string"}
    if method == "GET" and it.content == "application/json":
        yield {"name": "If-None-Match", "in": "header", "schema": text}
    if method in CHANGES and not it.bare:
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        yield {"name": "Idempotency-Key", "in": "header", "schema": key}
    if it.current is not None:
        yield {"name": "If-Match", "in": "header", "schema": text}


def _responses(method: str, it: Operation, shapes: Mapping[Any, str]) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done", "headers": _rate_headers()}
    if it.answer is not None:
        schema = {"$ref": SCHEMAS + shapes[it.answer, "serialization"]}
        done["content"] = {kind: {"schema": schema} for kind in it.contents}
    elif it.status != 204:
        done["content"] = {kind: {} if kind == EVENTS else {"schema": TEXT} for kind in it.contents}
    if method == "GET" and it.content == "application/json":
        done["headers"] |= {"ETag": {"schema": {"type": "string"}}}
    if it.status == 201:
        done["headers"] |= {"Location": {"schema": {"type": "string"}, "description": "Where it is"}}
    told = {str(it.status): done}
    for status in sorted(_refusals(method, it)):
        told[str(status)] = _refused(status, MEANINGS.get(status, ""))
    for status, meaning in it.more.items():
        told[str(status)] = {"description": meaning} if status < 400 else _refused(status, meaning)
    return told


def _refusals(method: str, it: Operation) -> set[int]:
    found = {400, 401, 403, 404, 429, 503}
    if method in CHANGES:
        found |= {409, 413}
        found |= set() if it.bare else {422}
        found |= {415} if it.body and not it.bare else set()
        found |= {412} if it.current else set()
    elif it.content == "application/json":
        found |= {304}
    return found


def _refused(status: int, meaning: str) -> dict[str, Any]:
    told: dict[str, Any] = {"description": meaning}
    if status >= 400:
        told["content"] = {"application/json": {"schema": {"$ref": SCHEMAS + "Refusal"}}}
    return told


def _rate_headers() -> dict[str, Any]:
    return {name: {"description": text, "schema": {"type": "integer"}} for name, text in HEADERS.items()}


def _schemas(found: Iterable[Operation]) -> tuple[dict[str, Any], dict[Any, str]]:
    """All shapes by name, and the name of each shape as it is asked or answered."""
    wanted: dict[tuple[type[BaseModel], Any], None] = {(Refusal, "serialization"): None}
    for it in found:
        wanted[it.query, "validation"] = None
        if it.body is not None:
            wanted[it.body, "validation"] = None
        if it.answer is not None:
            wanted[it.answer, "serialization"] = None
    names, told = models_json_schema(list(wanted), ref_template=SCHEMAS + "{model}")
    schemas = told["$defs"]
    called = {key: names[key]["$ref"].removeprefix(SCHEMAS) for key in wanted}
    for shape, mode in wanted:
        if issubclass(shape, Query):  # its words stand with the operation
            schemas.pop(called[shape, mode], None)
    return schemas, called


def _security() -> dict[str, Any]:
    return {
        "key": {"type": "http", "scheme": "bearer", "description": "A key: `leaseline key add NAME`"},
        "password": {
            "type": "http", "scheme": "basic",
            "description": "The key as the password, whatever the user, for programs that know no other way",
        },
        "browser": {
            "type": "apiKey", "in": "cookie", "name": "leaseline",
            "description": "Somebody who is logged in; changes need a form's token in `X-CSRF-Token` as well",
        },
    }  # fmt: skip
