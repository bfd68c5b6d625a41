"""Puts the page together: blueprints, guards before and after each request, templates' vocabulary."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from tracker.database import Database
from tracker.settings import Settings
from web import (
    account,
    alerts,
    audio,
    board,
    callback_asks,
    callbacks,
    calls,
    calls_api,
    columns,
    costs,
    doors,
    errors,
    exports,
    facts,
    followed,
    formats,
    health,
    imports,
    inlet_words,
    inlets,
    languages,
    log,
    missed,
    money,
    money_api,
    now,
    overview,
    paths,
    people,
    phone,
    reports,
    sales,
    saved_reports,
    script,
    security,
    shared,
    shared_report,
    spam,
    switcher,
    tiles,
    viewer,
    views,
    visits,
    worth,
)
from web.assets import Assets, assets
from web.house import House
from web.rest import resources, throttle
from web.settings import BLUEPRINTS as SETTINGS


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    database: Database,
    clock: Callable[[], datetime] = _utc_now,
    monotonic: Callable[[], float] = time.monotonic,
) -> Flask:
    """The WSGI application. Raises Rejected `web.unbuilt` when the front-end was not built."""
    app = Flask("web", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=1_000_000, MAX_FORM_MEMORY_SIZE=100_000, MAX_FORM_PARTS=100)
    app.extensions["leaseline"] = House(settings, database, Assets.read(), clock)
    if isinstance(app.json, DefaultJSONProvider):
        app.json.sort_keys = False  # a call reads best in the order it happened
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    followed.install(app)
    languages.install(app)
    formats.install(app)
    facts.install(app)
    money.install(app)
    tiles.install(app)
    missed.install(app)
    viewer.install(app)  # who is asking comes first: the CSRF token belongs to the session
    imports.install(app)  # a list may be larger than a form; security reads the form
    security.install(app)
    switcher.install(app)
    errors.install(app)
    throttle.install(app, monotonic)
    for blueprint in (
        doors.doors,
        overview.pages,
        calls.pages,
        exports.pages,
        columns.pages,
        views.pages,
        worth.pages,
        spam.pages,
        costs.pages,
        reports.pages,
        sales.pages,
        missed.pages,
        paths.pages,
        people.pages,
        account.pages,
        log.pages,
        now.pages,
        board.pages,
        alerts.pages,
        audio.pages,
        *resources.blueprints(),
        calls_api.api,
        money_api.api,
        health.health,
        assets,
        script.script,
        callback_asks.asks,
        callbacks.pages,
        *SETTINGS,
    ):
        app.register_blueprint(blueprint)
    saved_reports.install(app)
    shared.install(app, monotonic)
    app.register_blueprint(shared_report.pages)
    app.register_blueprint(phone.pages)
    inlets.install(app, monotonic)
    inlet_words.install(app)
    visits.install(app, database, monotonic)
    return app
