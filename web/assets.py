"""The built front-end: hashed names from the build's manifest, cached for a year, compressed."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, request, send_from_directory

from tracker.errors import Rejected
from web.public import public

FOLDER = Path(__file__).parent / "static" / "dist"

assets = Blueprint("assets", __name__)


@dataclass(frozen=True)
class Assets:
    """`app.js` -> `app-4F2K….js`."""

    names: Mapping[str, str]

    @classmethod
    def read(cls) -> Assets:
        """The manifest the build left. Raises Rejected `web.unbuilt` when there is none."""
        try:
            return cls(json.loads((FOLDER / "manifest.json").read_text()))
        except FileNotFoundError:
            raise Rejected(
                "web.unbuilt",
                "The front-end of the page is not built",
                "Build it: `cd web && npm ci && npm run build`",
            ) from None

    def url(self, name: str) -> str:
        return f"/static/{self.names[name]}"


@assets.get("/static/<name>")
@public
def file(name: str) -> Response:
    """A built file. Its name changes with its content, so a browser never asks for it twice."""
    packed = "gzip" in request.headers.get("Accept-Encoding", "") and (FOLDER / f"{name}.gz").is_file()
    kind = mimetypes.guess_type(name)[0]
    response = send_from_directory(FOLDER, f"{name}.gz" if packed else name, mimetype=kind)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Vary"] = "Accept-Encoding"
    return response
