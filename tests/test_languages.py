"""The page in four languages: no text is left untranslated, and each person reads his own."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from flask.testing import FlaskClient
from jinja2 import Environment, nodes
from support.catalogues import catalogue, compile_catalogues
from support.facts import Pallets
from support.recorded import settings_in
from support.showroom import Told, furnish
from support.site import Site

from tracker.companies import LANGUAGES
from tracker.database import Database
from tracker.models import Company, User
from web.actions import ACTIONS
from web.languages import NAMES, count, money

WEB = Path(__file__).parents[1] / "web"
SAID_IN = [WEB, *(WEB.parent / folder for folder in ("tracker", "recordings", "dialplan"))]
OTHERS = tuple(it for it in LANGUAGES if it != "en")
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
STYLES = sorted((WEB / "frontend").glob("*.css"))
SCRIPTS = sorted((WEB / "frontend").glob("*.js"))
HUMAN = {
    "title",
    "aria-label",
    "placeholder",
    "alt",
    "aria-valuetext",
    "aria-description",
    "label",
    "data-name",
}
NAMES_OF_THINGS = re.compile(r"Leaseline|CSV|XLSX|Excel|JavaScript|CSS|HTML|JSON|URL|API|UDP|TCP|SIP")
COUNTED = "\N{BULLET}"  # what an expression prints, whatever it is
GETTEXT = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
PLACE = re.compile(r"%\(\w+\)[sdr]|%%")
TAG = re.compile(r"</?\w+[^>]*>")


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    compile_catalogues()


@cache
def said_in_the_source() -> Catalog:
    """What `make words` would find."""
    methods, options = parse_mapping_cfg(io.StringIO((WEB / "babel.cfg").read_text()))  # type: ignore[no-untyped-call]
    found = Catalog()
    keywords = {**DEFAULT_KEYWORDS, "lazy_gettext": None}
    for folder in SAID_IN:
        for _, _, message, _, context in extract_from_dir(folder, methods, options, keywords):
            found.add(message, context=context)
    return found


def messages(of: Catalog) -> Iterator[Message]:
    return (message for message in of if message.id)


def forms(of: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [of] if isinstance(of, str) else list(of or ())


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_the_page_is_translated(language: str) -> None:
    known = catalogue(language)
    left = []
    for message in messages(said_in_the_source()):
        found = known.get(forms(message.id)[0], message.context)
        if found is None or found.fuzzy or not all(forms(found.string)):
            left.append(forms(message.id)[0])
    assert not left, f"{len(left)} texts are not translated: `make words`, then translations/{language}"


@pytest.mark.parametrize("language", OTHERS)
def test_a_plural_has_as_many_forms_as_the_language(language: str) -> None:
    known = catalogue(language)
    assert known.num_plurals == 3
    for message in messages(known):
        if message.pluralizable and any(forms(message.string)):
            assert len([form for form in forms(message.string) if form]) == 3, message.id


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_places_and_the_markup_of_the_text(language: str) -> None:
    for message in messages(catalogue(language)):
        wanted = forms(message.id)[-1]
        for said in filter(None, forms(message.string)):
            assert sorted(PLACE.findall(said)) == sorted(PLACE.findall(wanted)), message.id
            assert sorted(TAG.findall(said)) == sorted(TAG.findall(wanted)), message.id
            if not TAG.search(wanted):
                # A constant's translation stands in an attribute as it is.
                assert not set('<>"&') & set(said) - set(wanted), message.id


class Reader(HTMLParser):
    """Collects what a person reads in a page: texts, and attributes that are shown or spoken."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.read: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read += [value for name, value in attrs if name in HUMAN and value]
        if tag in {"code", "pre", "script", "style", "kbd"}:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.read.append(data)


def parsed(path: Path) -> nodes.Template:
    return Environment(extensions=["jinja2.ext.i18n"]).parse(path.read_text())


def literal(node: nodes.Node) -> str:
    """The template's own text in order, each expression a bullet."""
    if isinstance(node, nodes.TemplateData):
        return node.data
    if isinstance(node, nodes.Output):
        return "".join(literal(it) if isinstance(it, nodes.TemplateData) else COUNTED for it in node.nodes)
    return "".join(literal(child) for child in node.iter_child_nodes() if isinstance(child, nodes.Stmt))


def constants(node: nodes.Node) -> Iterator[str]:
    """Strings in expressions that no gettext takes."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in GETTEXT:
        for each in node.kwargs:
            yield from constants(each.value)
        return
    if isinstance(node, nodes.Compare):
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    for child in node.iter_child_nodes():
        yield from constants(child)


def sentence(text: str) -> bool:
    """Words as a person reads them: "Not judged"; not "data-word", "GET" or "application/json"."""
    return bool(re.search(r"(?<![\w&%-])[A-Z]?[a-z]+ [a-z]+(?!=)|^[A-Z][a-z]+$", text)) and "=" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_template_has_a_text_that_cannot_be_translated(path: Path) -> None:
    reader = Reader()
    reader.feed(literal(parsed(path)))
    # What a macro puts into a tag stands in the template as if it were text.
    texts = [NAMES_OF_THINGS.sub("", text).strip() for text in reader.read if '="' not in text]
    assert [text for text in texts if re.search(r"[^\W\d_]", text)] == []
    assert [text for text in constants(parsed(path)) if sentence(text)] == []


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_no_style_says_anything(path: Path) -> None:
    assert re.findall(r'content: *"[^"]*[A-Za-z]{2}[^"]*"', path.read_text()) == []


KEYS = {
    "Escape",
    "Enter",
    "Tab",
    "Home",
    "End",
    "Delete",
    "Backspace",
    "Date",
    "Accept",
    "Shift",
}  # fmt: skip  (of the keyboard, and of HTTP)
STRING = re.compile(
    r""" //[^\n]* | /\*.*?\*/ | "((?:\\.|[^"\\\n])*)" | `((?:\\.|[^`\\])*)` """, re.VERBOSE | re.DOTALL
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_says_anything_but_the_words_of_the_page(path: Path) -> None:
    strings = [one or other for one, other in STRING.findall(path.read_text())]
    told = [text for text in strings if re.match(r"[A-Z][a-z]+(?: [a-z]|[.!?]?$)", text) and text not in KEYS]
    assert told == []


def test_every_action_of_the_audit_log_has_words() -> None:
    given = {
        str(it.value)
        for node in calls_of("note", "_note")
        for argument in node.args
        for it in ast.walk(argument)
        if isinstance(it, ast.Constant) and re.fullmatch(r"[a-z]+(\.[a-z]+)+", str(it.value))
    }
    assert len(given) > 50
    assert given - ACTIONS.keys() == set()


def calls_of(*names: str) -> Iterator[ast.Call]:
    """Where the source calls functions of these names."""
    for folder in ("tracker", "recordings", "commands", "agi", "web"):
        for path in (WEB.parent / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "id", getattr(node.func, "attr", None))
                    if name in names and "node_modules" not in path.parts:
                        yield node


def test_each_language_names_itself() -> None:
    assert set(NAMES) == set(LANGUAGES)


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    furnish(
        sqlite,
        settings,
        now,
        (
            Told(3, Pallets.billboard, "+79161234567", talk=4, sound=False),
            Told(1500, Pallets.leaflet, "+79161234567", "missed", wait=41),
            Told(4500, Pallets.leaflet, "", "busy", wait=41),
        ),
    )
    return Site(sqlite, settings, now)


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return site.log_in("ann@pallets.example", 1)


def speak(site: Site, user: str | None, company: str = "en") -> None:
    with site.database.write() as session:
        session.query(User).update({"language": user})
        session.query(Company).update({"language": company})


def test_a_person_reads_the_calls_in_his_language(site: Site, ann: FlaskClient) -> None:
    speak(site, "ru", company="pl")
    html = ann.get("/calls").text
    assert '<html lang="ru" dir="ltr">' in html
    for word in (
        "Звонки",
        "Сегодня",
        "Вчера",
        "Вторник, 17 ноября",
        "Принят",
        "Пропущен",
        "Повторный",
        "Ожидание",
    ):
        assert word in html
    for word in ("Answered", "Missed", "Today", "Calls"):
        assert word not in html


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("uk", ("Дзвінки", "Сьогодні", "Вівторок, 17 листопада", "Пропущено")),
        ("pl", ("Połączenia", "Dzisiaj", "Wtorek, 17 listopada", "Nieodebrane")),
    ],
)
def test_who_chose_none_reads_the_companys(
    site: Site, ann: FlaskClient, language: str, words: tuple[str, ...]
) -> None:
    speak(site, None, company=language)
    html = ann.get("/calls").text
    assert [word for word in words if word not in html] == []


@pytest.mark.parametrize(
    ("accepts", "word"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "Войти"),
        ("uk", "Увійти"),
        ("pl-PL", "Zaloguj się"),
        ("fr", "Log in"),
        ("", "Log in"),
    ],
)
def test_the_log_in_page_speaks_as_the_browser_asks(site: Site, accepts: str, word: str) -> None:
    html = site.app.test_client().get("/login", headers={"Accept-Language": accepts}).text
    assert f"<h1>{word}</h1>" in html


def test_a_refusal_is_told_in_the_page_s_language_and_to_programs_in_english(
    site: Site, ann: FlaskClient
) -> None:
    speak(site, "pl")
    assert "Nie ma takiego połączenia" in ann.get("/calls/nothing").text
    error = ann.get("/api/v1/calls/nothing").get_json()["error"]
    assert error["message"] == "There is no such call"


def test_money_and_numbers_are_written_as_the_language_writes_them(site: Site) -> None:
    said = {}
    for language in LANGUAGES:
        with site.app.test_request_context("/", headers={"Accept-Language": language}):
            said[language] = (count(12345), money(Decimal("1200.5"), "EUR"))
    assert said == {
        "en": ("12,345", "€1,200.50"),
        "ru": ("12\xa0345", "1\xa0200,50\xa0€"),
        "uk": ("12\xa0345", "1\xa0200,50\xa0EUR"),
        "pl": ("12\xa0345", "1\xa0200,50\xa0€"),
    }
