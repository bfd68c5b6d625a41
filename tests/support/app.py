"""The application for tests, which make one each: a thousand of them in a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from web.app import create_app


def make_app(*what: Any) -> Flask:
    """As `create_app`, without compiling again what an application before it has compiled.

    How the address of a page is put together is compiled for each page, which is nearly all of its time.
    """
    plain = Flask.url_rule_class
    Flask.url_rule_class = _Known
    try:
        app = create_app(*what)
    finally:
        Flask.url_rule_class = plain
    app.jinja_env.bytecode_cache = _TEMPLATES
    return app


class _Known(Rule):
    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = self.rule, self.subdomain, repr(self.defaults), append_unknown
        if key not in _BUILDERS:
            _BUILDERS[key] = super()._compile_builder(append_unknown)
        return _BUILDERS[key]


class _Compiled(BytecodeCache):
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


_BUILDERS: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}
_TEMPLATES = _Compiled()
