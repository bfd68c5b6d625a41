"""Refusals in four languages: each sentence is translated whole, with exactly the values it was said with."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from support.catalogues import catalogue, compile_catalogues
from support.settings_page import HERE, admin, refused, send, two_companies
from support.site import Site

from tracker.companies import LANGUAGES
from tracker.database import Database
from tracker.errors import Rejected, Said, beneath, say
from tracker.models import User
from tracker.settings import CHECKOUT
from web import languages
from web.extraction import SAID, arguments, said_in
from web.refusals import AT_THE_PAGE, STORED, retold, translated

OTHERS = [it for it in LANGUAGES if it != "en"]
FOLDERS = ("tracker", "recordings", "dialplan", "web")
# What only programs and the command line are told, as web/babel.cfg has it.
ENGLISH = {
    "reported.py",
    "visits.py",
    "api.py",
    "call_folders.py",
    "calls_api.py",
    "cdr.py",
    "money_api.py",
    "reported_calls.py",
    "backup.py",
    "dump.py",
    "restore.py",
    "package_export.py",
    "package_import.py",
    "moving.py",
    "cdr_tables.py",
    "download.py",
    "fetching.py",
    "moved.py",
    "mapped_rows.py",
    "vendor_files.py",
    "referrer_lists.py",
}
# As they are: what Asterisk said; a refusal that is translated already.
FOREIGN = {"'; '.join(found)", "problem.said.told(_in_its_language)", "str(advice)"}


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    compile_catalogues()


@cache
def modules() -> dict[Path, ast.Module]:
    """The source of everything that says no to a person at the page."""
    paths = [path for folder in FOLDERS for path in sorted((CHECKOUT / folder).rglob("*.py"))]
    ours = (it for it in paths if it.name not in ENGLISH and "node_modules" not in it.parts)
    return {path: ast.parse(path.read_text()) for path in ours}


@cache
def texts() -> list[str]:
    return sorted({text for source in modules().values() for _, text in said_in(source)})


def places(text: str) -> set[str]:
    """The names of the values that a text has places for."""
    names: set[str] = set()

    class Asked(dict[str, object]):
        def __missing__(self, name: str) -> str:
            names.add(name)
            return ""

    text % Asked()
    return names


def calls_of(name: str) -> Iterator[tuple[str, ast.Call]]:
    for path, source in modules().items():
        for node in ast.walk(source):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
                yield f"{path.relative_to(CHECKOUT)}:{node.lineno}", node


def constants(*arguments: ast.expr) -> Iterator[str]:
    for argument in arguments:
        if isinstance(argument, ast.IfExp):
            yield from constants(argument.body, argument.orelse)
        elif isinstance(argument, ast.Constant):
            yield str(argument.value)


def test_every_sentence_stands_whole_in_the_code() -> None:
    for path, source in modules().items():
        for argument in arguments(source):
            parts = [argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else [argument]
            for part in parts:
                where = f"{path}:{part.lineno}: give its values by name, Rejected(…, name=value)"
                assert not isinstance(part, ast.JoinedStr | ast.BinOp), where
                if isinstance(part, ast.Call):
                    said = getattr(part.func, "id", "") in {"say", "beneath", "_advice"}
                    assert said or ast.unparse(part) in FOREIGN, where


def test_a_sentence_has_the_values_that_it_names() -> None:
    for where, call in calls_of("Rejected"):
        given = {it.arg for it in call.keywords}
        for text in constants(*call.args[1:3]):
            if given:
                assert places(text) <= given, where
            else:
                assert "%(" not in text, where


@pytest.mark.parametrize("language", OTHERS)
def test_every_refusal_is_translated(language: str) -> None:
    known = catalogue(language)
    found = {text: known.get(text, SAID) for text in texts()}
    assert [text for text, it in found.items() if it is None or it.fuzzy or not it.string] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_places_of_its_text(language: str) -> None:
    for text in texts():
        message = catalogue(language).get(text, SAID)
        assert message is not None
        if "%(" in text:
            assert places(str(message.string)) == places(text)


@pytest.fixture(scope="module")
def page() -> Flask:
    """Nothing but a page's languages."""
    app = Flask("web")
    languages.install(app)
    return app


HOSTILE = ("%", "%%", "%s", "%(text)s", "%(name)r", "{}", "{text}", "\n", "'", '"', "\\", "<b>", "%(", "\0")


def odd() -> st.SearchStrategy[object]:
    """Values as nobody would wish them: percent signs, braces, line ends, another sentence."""
    pieces = st.sampled_from([*HOSTILE, *texts()]) | st.text(max_size=8)
    return (
        st.lists(pieces, max_size=4).map("".join) | st.integers() | st.lists(st.text(max_size=4), max_size=3)
    )


@given(data=st.data())
def test_a_translated_sentence_has_exactly_the_values_it_was_said_with(
    page: Flask, data: st.DataObject
) -> None:
    language = data.draw(st.sampled_from(OTHERS))
    text = data.draw(st.sampled_from([it for it in texts() if "%(" in it]))
    values = {name: data.draw(odd()) for name in sorted(places(text))}
    told = {name: ", ".join(it) if isinstance(it, list) else it for name, it in values.items()}
    with page.test_request_context("/", headers={"Accept-Language": language}):
        said = translated(Rejected("some.thing", text, "Try again", **values))
    known = catalogue(language).get(text, SAID)
    assert known is not None
    assert said.message == str(known.string) % told
    assert Rejected("some.thing", text, "Try again", **values).message == text % told


def test_a_value_that_is_a_text_itself_is_translated_too(page: Flask) -> None:
    uses = [say("%(num)s calls", num=2), say("target %(name)r", name="50 % off")]
    no = Rejected("trunk.in_use", "trunk %(name)r is used by %(uses)s", "Try again", name="A", uses=uses)
    assert no.message == "trunk 'A' is used by 2 calls, target '50 % off'"
    with page.test_request_context("/", headers={"Accept-Language": "ru"}):
        assert translated(no).message == "Транк 'A' используется: звонков: 2, получатель '50 % off'"


def test_what_no_catalogue_knows_stays_as_it_was_said(page: Flask) -> None:
    no = Rejected("some.thing", "100 % of %s", Said("%(told)s!", {"told": beneath([Said("a"), Said("b")])}))
    assert str(no) == "100 % of %s. a\nb!"
    with page.test_request_context("/", headers={"Accept-Language": "pl"}):
        assert (translated(no).message, translated(no).fix) == (no.message, no.fix)


def test_what_a_worker_stored_is_told_in_the_page_s_language(page: Flask) -> None:
    assert set(STORED) <= set(texts())
    refusal = "Asterisk did not take it: trunk 'A': 50 % of %(logs)s"
    with page.test_request_context("/", headers={"Accept-Language": "ru"}):
        assert retold(refusal) == "Asterisk этого не принял: trunk 'A': 50 % of %(logs)s"
        assert retold("Nothing was changed.") == "Ничего не изменено."
        assert retold("Something else %s") == "Something else %s"
    with page.test_request_context("/"):
        assert retold(refusal) == refusal


def test_the_advice_for_the_page_is_for_refusals_that_there_are() -> None:
    ids = (call.args[0] for _, call in calls_of("Rejected"))
    raised = {str(it.value) for it in ids if isinstance(it, ast.Constant)}
    assert AT_THE_PAGE.keys() <= raised


# ---- as a person reads them ----


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(sqlite, tmp_path, now)


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    ann = admin(site)
    with site.database.write() as session:
        session.query(User).update({"language": "ru"})
    return ann


RULE = {
    "name": "Ads", "hold_seconds": "300", "idle_seconds": "600", "longest_seconds": "3600",
    "cooldown_seconds": "60", "paid_percent": "5", "when_empty": "real",
}  # fmt: skip
PEER = {"kind": "peer", "name": "Main", "host": "pbx.example", "transport": "udp", "caller_id": "caller"}
SOURCE = {"do": "add", "part": "landing", "medium": "cpc", "source": "ads", "campaign": ""}


@pytest.mark.parametrize(
    ("path", "form", "name", "words"),
    [
        ("numbers/add", {"numbers": "8 495 % nine"}, "numbers", "'8 495 % nine' — не телефонный номер"),
        ("channels/add", {"name": "Billboard"}, "name", "Канал 'Billboard' уже есть. Выберите другое назв"),
        ("pools/add", RULE | {"hold_seconds": "99999"}, "hold_seconds", "Удерживать номер 99999 секунд"),
        (
            "pools/add",
            RULE | {"hold_seconds": "-1"},
            "hold_seconds",
            "от 0 до 86400 целых секунд; обычно 300",
        ),
        ("pools/add", RULE | {"idle_seconds": "soon"}, "idle_seconds", "'soon' — не целое число"),
        ("sites/add", {"name": "S", "domains": "https://a.example/"}, "domains", "'https://a.example/' — не"),
        (
            "targets/add",
            PEER | {"port": "70000"},
            "port",
            "70000 — не порт. Укажите целое число от 1 до 655",
        ),
        ("sources", SOURCE | {"pattern": "("}, "pattern", "'(' — не регулярное выражение: "),
    ],
)
def test_a_form_answers_in_russian_beside_the_field_with_what_was_typed(
    ann: FlaskClient, path: str, form: dict[str, str], name: str, words: str
) -> None:
    refused(send(ann, f"{HERE}/{path}", **form), name, words)


def test_what_holds_a_thing_back_is_told_in_russian(ann: FlaskClient) -> None:
    refused(send(ann, f"{HERE}/channels/1", do="delete"), "", "Канал 'Billboard' используется: номеров: 1")


def test_each_bad_line_of_a_list_is_told_in_russian(ann: FlaskClient) -> None:
    html = refused(send(ann, f"{HERE}/numbers/add", numbers="12\n13\n"), "numbers", "Неверных строк: 2")
    assert "Строка 2: '13' — не телефонный номер. Укажите его так: " in html.replace("&#39;", "'")


def test_a_password_says_what_is_wrong_with_it(ann: FlaskClient) -> None:
    form = {"current": "correct horse battery", "new": "short", "again": "short"}
    html = send(ann, "/account/password", **form).text
    assert "В этом пароле 5 знаков, а нужно не меньше 10" in html


def test_programs_are_refused_in_english(ann: FlaskClient) -> None:
    error = ann.get("/api/v1/calls?since=2026-13-01").get_json()["error"]
    assert error == {
        "id": "filter.malformed",
        "message": "since is '2026-13-01'",
        "fix": "Give a day as 2026-11-20, or 2026-11-20T14:30",
    }
