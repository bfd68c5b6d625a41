"""The baseline of the web's benchmarks: the same Flask and granian, reading a JSON body and doing nothing."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request


def make() -> Flask:
    """An application with one route, which answers what a page is answered that gets a number."""
    app = Flask("nothing")

    @app.get("/healthz")
    def alive() -> Response:
        return Response("ok")

    @app.post("/nothing")
    def nothing() -> Response:
        request.get_json(force=True)
        return jsonify(
            visit="1.1.0", visitor="0", number=None, numbers=[], reason=None, hold_seconds=300, until=600
        )

    return app
