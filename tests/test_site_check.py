"""`leaseline site check`: what it says of pages, with scripts that swap well, badly or not at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.browser import serving
from support.command import Installation, furnish, one_line

from tracker.database import Database
from tracker.models import Lease, Visit
from tracker.policy.page_check import Answer, Given, Place, Verdict, Wanted, find, missing, stands_in
from tracker.policy.swapping import variants
from tracker.settings import read_settings

REAL, OWN = "+74957654321", "+74951230001"
WANTED = Wanted(REAL, variants(REAL), "8-800-PALLETS")
GIVEN = Answer({REAL: Given(OWN)})


# ---- judging, without a browser ----


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("Call 8 (495) 765-43-21 now", True),
        ("+7 495 765 43 21", True),
        ("tel:+74957654321", True),
        ("7\u00a0495\u00a0765\u201143\u201121", True),
        ("495.765.43.21", True),
        ("(495) 765 / 43 / 21", True),
        ("+7 (0) 495 7654321", True),
        ("8 495 765-43-21 8 495 765-43-22", True),
        ("dial 8-800-pallets", True),
        ("8-800-PALLETSX", False),
        ("8 495 765-43-22", False),
        ("id 184957654321", False),
        ("849576543210", False),
        ("+1 495 765 4321", False),
        ("", False),
    ],
)
def test_a_number_is_recognised_by_its_digits(text: str, stands: bool) -> None:
    assert stands_in(text, WANTED) is stands


def place(text: str, key: str = "1", kind: str = "text", context: str = "", attribute: str = "") -> Place:
    return Place(key, kind, attribute, "p", context, text)


OLD, NEW = "8 (495) 765-43-21", "8 (495) 123-00-01"


@pytest.mark.parametrize(
    ("kind", "context", "attribute", "after", "answer", "verdict", "why"),
    [
        ("text", "", "0", NEW, GIVEN, "swapped", None),
        ("text", "", "0", OLD, GIVEN, "missed", "did not see it"),
        ("text", "", "0", OLD, Answer({}, "the pool is empty"), "missed", "the pool is empty"),
        ("text", "", "0", OLD, Answer({}), "missed", "this country"),
        ("text", "", "0", "8 (495) 999-99-99", GIVEN, "missed", "not +74951230001"),
        ("text", "", "0", OLD + " code 482", Answer({REAL: Given(REAL, "482")}), "swapped", "code 482"),
        ("text", "", "0", OLD, Answer({REAL: Given(REAL, "482")}), "missed", "did not see it"),
        ("text", "", "0", None, GIVEN, "gone", "opened again"),
        ("text", "no-swap", "0", OLD, GIVEN, "left", "no-swap"),
        ("text", "json-ld", "0", OLD, GIVEN, "left", "search engines"),
        ("text", "code", "0", OLD, GIVEN, "left", "in code"),
        ("text", "editable", "0", OLD, GIVEN, "left", "edit"),
        ("value", "input", "", OLD, GIVEN, "left", "form"),
        ("text", "shadow", "0", OLD, GIVEN, "missed", "Leaseline.swap(root)"),
        ("text", "frame", "0", OLD, GIVEN, "missed", "put the script there too"),
        ("split", "", "", OLD, GIVEN, "missed", "data-leaseline-number"),
        ("image", "", "alt", OLD, GIVEN, "missed", "image"),
        ("css", "", "::before", OLD, GIVEN, "missed", "style sheet"),
        ("attribute", "", "title", OLD, GIVEN, "missed", "attribute"),
        ("attribute", "", "data-phone", OLD, GIVEN, "left", "nobody reads"),
        ("link", "", "href", "tel:+74951230001", GIVEN, "swapped", None),
        ("link", "", "href", "tel:" + REAL, GIVEN, "missed", "did not see it"),
    ],
)  # fmt: skip
def test_every_place_is_judged_with_a_reason(
    kind: str, context: str, attribute: str, after: str | None, answer: Answer, verdict: str, why: str | None
) -> None:
    before = [place(OLD, kind=kind, context=context, attribute=attribute)]
    now = [] if after is None else [place(after, kind=kind, context=context, attribute=attribute)]
    (finding,) = [each for each in find(before, now, [WANTED], answer, "RU") if each.number == REAL]
    assert finding.verdict == verdict
    assert (finding.why is None) if why is None else (why in (finding.why or ""))


def test_a_messengers_link_is_left_alone() -> None:
    link = place("https://wa.me/74957654321", kind="attribute", attribute="href")
    (finding,) = find([link], [link], [WANTED], GIVEN, "RU")
    assert finding.verdict is Verdict.LEFT


def test_a_number_that_came_late_and_stayed_is_missed() -> None:
    findings = find([], [place(OLD)], [WANTED], GIVEN, "RU")
    assert [each.verdict for each in findings] == [Verdict.MISSED]


def test_numbers_that_nobody_named_are_told_once() -> None:
    places = [place("8 495 111-22-33", "1"), place("+7 (495) 111 22 33", "2"), place("order 123456789", "3")]
    findings = find(places, places, [WANTED], GIVEN, "RU")
    assert [(each.number, each.verdict) for each in findings] == [("+74951112233", Verdict.STRANGE)]
    assert missing([WANTED], findings) == [REAL]


# ---- the whole command, in Chromium ----

SWAPPER = """
fetch(document.currentScript.src.replace(/\\/s\\/.*/, "/api/v1/visits"), {method: "POST", body: "{}"})
  .then((answer) => answer.json())
  .then(({visit, numbers}) => {
    const swap = (text) => numbers.length ? text.replace("8 (495) 765-43-21", "8 (495) 123-00-01")
      .replace("+74957654321", "+74951230001") : text;
    for (const element of document.querySelectorAll("p, a, h1")) {
      for (const node of element.childNodes) if (node.nodeType === 3) node.data = swap(node.data);
      if (element.href) element.href = swap(element.href);
    }
    addEventListener("pagehide", () => navigator.sendBeacon(`/api/v1/visits/${visit}/leave`));
  });
"""


@dataclass
class Shop:
    """A website and, on the same port, what its script asks: as a Leaseline server would look to it."""

    page: str = ""
    script: str = SWAPPER
    policy: str | None = None
    answer: dict[str, Any] = field(
        default_factory=lambda: {"visit": "1.1.x", "reason": None, "numbers": [{"from": REAL, "e164": OWN}]}
    )
    status: int = 200
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    url: str = ""

    def respond(self, method: str, path: str) -> tuple[int, str, str]:
        self.asked.append(f"{method} {path}")
        if path.startswith("/s/"):
            return 200, "text/javascript", self.script
        if path.startswith("/api/"):
            return self.status, "application/json", json.dumps(self.answer)
        return (200, "text/html", self.page) if path == "/" else (404, "text/plain", "")


@contextmanager
def open_shop(shop: Shop) -> Iterator[Shop]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = shop.respond(self.command, self.path)
            if self.command == "POST":
                shop.agents.add(self.headers["User-Agent"])
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body.encode())))
            if shop.policy and kind == "text/html":
                self.send_header("Content-Security-Policy", shop.policy)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET  # noqa: N815  (the name is http.server's)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        shop.url = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield shop
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    installation = Installation(tmp_path_factory.mktemp("home"))
    furnish(installation)
    return installation


@pytest.fixture(scope="module")
def key(here: Installation) -> str:
    return str(here.json("site", "show", "Shop")["key"])


def page(body: str, key: str | None) -> str:
    script = f'<script async src="/s/{key}.js"></script>' if key else ""
    return f"<!doctype html><html><head><link rel=icon href=data:,>{script}</head><body>{body}</body></html>"


GOOD = '<h1>Call 8 (495) 765-43-21</h1><a class="phone" href="tel:+74957654321">8 (495) 765-43-21</a>'


def test_a_page_whose_numbers_are_swapped_is_good(here: Installation, key: str, tmp_path: Path) -> None:
    picture = tmp_path / "shop.png"
    with open_shop(Shop(page(GOOD, key))) as shop:
        said = here.done("site", "check", shop.url, "--screenshot", str(picture))
        assert said.endswith("Good: 3 swapped.\n")
        assert "(site Shop)" in said
        assert picture.read_bytes()[:4] == b"\x89PNG"
        assert "POST /api/v1/visits/1.1.x/leave" in shop.asked  # the number goes back
        assert [line for line in shop.asked if line == "POST /api/v1/visits"] == ["POST /api/v1/visits"]
        assert not any("Headless" in agent for agent in shop.agents)


def test_what_is_not_swapped_is_told_with_its_reason(here: Installation, key: str) -> None:
    body = (
        GOOD
        + '<span class="old">8 (495) 765-43-21</span>'
        + '<div id="split"><b>8 (495)</b> <i>765-43-21</i></div>'
        + '<img alt="8 (495) 765-43-21" src="data:,">'
        + '<input value="8 (495) 765-43-21"><code>8 (495) 765-43-21</code>'
        + "<p data-leaseline-noswap><b>8 (495) 765-43-21</b></p>"
        + '<script type="application/ld+json">{"telephone": "+74957654321"}</script>'
        + '<div id="host"></div><script>'
        + 'host.attachShadow({mode: "open"}).innerHTML = "<p>8 (495) 765-43-21</p>"</script>'
        + "<style>.painted::before { content: '8 (495) 765-43-21' }</style><i class=painted></i>"
        + "<iframe srcdoc='<b>8 (495) 765-43-21</b>'></iframe>"
        + "<p>Fax 8 (495) 111-22-33, order 4957654321000</p>"
        + "<script>console.error('boom')</script>"
    )
    with open_shop(Shop(page(body, key))) as shop:
        result = here.run("site", "check", shop.url, "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["ok"]) == (1, False)
    by_verdict: dict[str, list[str]] = {}
    for each in report["findings"]:
        by_verdict.setdefault(each["verdict"], []).append(each["where"])
    assert len(by_verdict["swapped"]) == 3
    assert sorted(by_verdict["missed"]) == [
        "css in html > body > i.painted",
        "image in html > body > img",
        "split in html > body > div#split",
        "text in body > div#host > p",
        "text in frame : html > body > b",
        "text in html > body > span.old",
    ]
    assert sorted(by_verdict["left"]) == [
        "text in body > p > b",
        "text in html > body > code",
        "text in html > body > script",
        "value in html > body > input",
    ]
    assert [each["number"] for each in report["findings"] if each["verdict"] == "strange"] == ["+74951112233"]
    assert report["console"] == ["boom"]


def test_a_page_without_our_script_is_told_so_and_may_be_tried_with_it(here: Installation, key: str) -> None:
    with open_shop(Shop(page(GOOD, None))) as shop:
        report = here.json_anyway("site", "check", shop.url, "--wait-seconds", "0.1")
        assert report["problem"].startswith("there is no script of ours on the page")
        with_url = Installation(here.home, {"LEASELINE_WEB_URL": shop.url})
        tried = with_url.json("site", "check", shop.url, "--inject", "Shop")
        assert (tried["ok"], tried["key"]) == (True, key)


def test_a_script_that_comes_late_is_waited_for(here: Installation, key: str) -> None:
    late = f"<script>setTimeout(() => {{ const s = document.createElement('script'); s.src = '/s/{key}.js';"
    late += "document.head.append(s) }, 700)</script>"
    with open_shop(Shop(page(GOOD + late, None))) as shop:
        assert here.json("site", "check", shop.url)["ok"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"policy": "script-src 'none'"}, "Content-Security-Policy, script-src-elem forbids"),
        ({"policy": "connect-src 'none'"}, "Content-Security-Policy, connect-src forbids"),
        ({"script": "throw new Error('broken')"}, "no answer to its question"),
        (
            {"status": 403, "answer": {"error": {"id": "site.origin", "message": "not a page of Shop"}}},
            "no number was given: not a page of Shop",
        ),
        (
            {"answer": {"visit": "1", "reason": "pool_empty", "numbers": []}},
            "all numbers of the pool are leased",
        ),
    ],
)
def test_why_nothing_was_swapped_is_told(
    here: Installation, key: str, change: dict[str, Any], problem: str
) -> None:
    with open_shop(Shop(page(GOOD, key), **change)) as shop:
        report = here.json_anyway("site", "check", shop.url, "--wait-seconds", "1")
    assert not report["ok"]
    assert problem in report["problem"]
    assert {each["verdict"] for each in report["findings"]} == {"missed"}


def test_a_script_of_an_unknown_site_is_told_so(here: Installation) -> None:
    with open_shop(Shop(page(GOOD, "AAAAAAAAAAAA"))) as shop:
        report = here.json_anyway("site", "check", shop.url, "--wait-seconds", "1")
    assert report["problem"] == "the script on the page is of a site that is not here (key AAAAAAAAAAAA)"


def test_a_page_that_cannot_be_opened_is_one_line(here: Installation) -> None:
    with open_shop(Shop()) as shop:
        gone = shop.url
    said = here.refused("site", "check", gone)
    assert said.startswith(
        f"leaseline: {gone} cannot be opened: net::ERR_CONNECTION_REFUSED. Correct the address"
    )
    with open_shop(Shop()) as shop:
        secure = shop.url.replace("http:", "https:")
        assert "Give the address with http://" in here.refused("site", "check", secure)


def test_a_page_that_is_not_there_is_told_so_with_the_address_that_failed(here: Installation) -> None:
    with serving(read_settings(here.environ)) as web:  # a website as good as any
        report = here.json_anyway("site", "check", f"{web}/gone", "--wait-seconds", "0.1")
    assert report["problem"].startswith("the page itself was answered with 404")
    assert any(f": {web}/gone" in line for line in report["console"])
    with open_shop(Shop()) as shop:
        assert "with an error and no page" in here.refused("site", "check", f"{shop.url}gone")


@pytest.mark.parametrize(
    "address", ["ftp://shop.example/", "our shop", "https://", "file:///etc/passwd", "http://["]
)
def test_what_is_no_address_of_a_page_is_wrong_usage(here: Installation, address: str) -> None:
    result = here.run("site", "check", address)
    assert result.exit_code == 2
    assert "give one such as https://shop.example/" in one_line(result.stderr)


def test_a_page_on_a_domain_that_is_not_the_sites_is_told_which_command_adds_it(
    here: Installation, key: str
) -> None:
    with serving(read_settings(here.environ)) as web, open_shop(Shop()) as shop:
        shop.page = page(GOOD + f'<script async src="{web}/s/{key}.js"></script>', None)
        report = here.json_anyway("site", "check", shop.url, "--wait-seconds", "5")
        told = here.run("site", "check", shop.url, "--wait-seconds", "5").stdout
    assert told.count("is none of the site's domains") == 1
    assert "see above" in told
    assert report["problem"] == (
        "no number was given: 127.0.0.1 is none of the site's domains; if it should be:"
        " `leaseline site change Shop --domain shop.example --domain 127.0.0.1`"
    )


def test_the_real_script_as_it_is_told_to_be_put_on_a_page_gets_a_number_and_gives_it_back(
    tmp_path: Path,
) -> None:
    house = Installation(tmp_path / "home")
    furnish(house)
    house.done("number", "add", "8 495 123-00-01", "--pool", "Website")
    house.done("site", "change", "Shop", "--domain", "127.0.0.1")
    settings = read_settings(house.environ)
    database = Database(settings.database_url)
    with serving(settings) as web, open_shop(Shop()) as shop:
        told = Installation(house.home, {"LEASELINE_WEB_URL": web}).json("site", "show", "Shop")
        shop.page = page(GOOD + "<div><b>8 (495)</b> <i>765-43-21</i></div>", None)
        shop.page = shop.page.replace("</head>", told["pinned"] + "</head>")
        shop.policy = f"default-src 'none'; {told['csp']}"
        report = house.json("site", "check", shop.url)
        with database.read() as session:
            visit = session.scalars(sa.select(Visit)).one()
            lease = session.scalars(sa.select(Lease)).one()
    database.close()
    assert [each["verdict"] for each in report["findings"]] == ["swapped"] * 4
    assert [each["after"] for each in report["findings"]][-1] == "8 (495) 123-00-01"
    assert visit.left_at is not None
    assert (lease.visit_id, lease.until_at) == (visit.id, None)
    assert lease.expires_at == visit.left_at + timedelta(seconds=300)
