"""What the documents say exists, and what exists is in the documents."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from cli import leaseline
from dialplan.facts import Facts
from dialplan.program import Program
from dialplan.render import render
from tracker.database import Database
from tracker.destinations import KINDS
from tracker.policy.metrics import ALL as METRICS
from tracker.settings import CHECKOUT, Settings, read_settings
from web.app import create_app

DOCS = CHECKOUT / "docs"
GENERATED = {"cli.md", "settings.md"}  # tests/test_cli_docs.py
ROOMS = DOCS / "destinations"  # a page for each kind
PAGES = sorted([*CHECKOUT.glob("*.md"), *DOCS.glob("*.md"), *ROOMS.glob("*.md")])
WRITTEN = [page for page in PAGES if page.name not in GENERATED]
NOT_SETTINGS = {"LEASELINE_COMPANY", "LEASELINE_PRIVATE_ASTERISK"}  # read by the command line and make

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)
SHELL_ENDS = {"|", "&&", ";", "<", ">", "#"}

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
by_written_page = pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)


def read(name: str) -> str:
    return (DOCS / name).read_text()


# ---- links ----


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    for pair in LINK.findall(BLOCK.sub("", page.read_text())):
        link = "".join(pair)
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@by_page
def test_every_link_and_picture_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_every_page_is_reached_from_the_readme() -> None:
    readme = (CHECKOUT / "README.md").read_text()
    for page in PAGES:
        assert page.name == "README.md" or page.parent == ROOMS or f"({page.relative_to(CHECKOUT)}" in readme


def test_every_kind_of_destination_has_a_page_that_names_its_fields() -> None:
    assert {page.stem for page in ROOMS.glob("*.md")} == KINDS.keys()
    for word, kind in KINDS.items():
        assert f"(destinations/{word}.md)" in read("integrator.md")
        fields = {each.name for each in kind.fields}
        assert [name for name in fields if f"`{name}`" not in read(f"destinations/{word}.md")] == []


# ---- commands ----


def command_lines(text: str) -> Iterator[list[str]]:
    """The words of every quoted `leaseline …`, up to where the shell takes over."""
    code = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
    for line in [*code, *INLINE.findall(BLOCK.sub("", text))]:
        for found in re.finditer(r"(?:^|&& |\$ |\| )\s*leaseline (?=[a-z-])(.*)", line):
            try:
                words = shlex.split(found[1].replace("…", ""), comments=True)
            except ValueError:  # a sentence in a picture of text, not a command
                continue
            ends = [index for index, word in enumerate(words) if word in SHELL_ENDS]
            yield words[: ends[0]] if ends else words


def misused(words: list[str]) -> str | None:
    """Why these words are no command of ours; None when they are one."""
    command: click.Command = leaseline
    # With the option names of the command itself: click makes its help option once and keeps it.
    context = click.Context(command, info_name="leaseline", help_option_names=["-h", "--help"])
    words = list(words)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        if found is None:
            return "no such command"
        command = found
        context = click.Context(command, info_name=command.name, parent=context)
    if words and words[0].endswith("--help"):
        return None
    try:
        command.make_parser(context).parse_args(words)
    except click.UsageError as problem:
        return problem.format_message()
    return None


@by_written_page
def test_every_command_that_is_quoted_exists_with_its_options(page: Path) -> None:
    found = [(words, misused(words)) for words in command_lines(page.read_text())]
    assert [each for each in found if each[1]] == []


def test_a_command_that_does_not_exist_is_noticed() -> None:
    quoted = (
        "`leaseline number plant 4711`, `leaseline up --now`\n```sh\nleaseline pool add x --old 3 | less\n```"
    )
    assert [misused(words) is not None for words in command_lines(quoted)] == [True] * 3


def test_every_wish_of_make_that_is_quoted_exists() -> None:
    known = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    quoted = {
        word
        for page in WRITTEN
        for word in re.findall(r"(?:^|`|&& )make ([a-z]+)", page.read_text(), re.MULTILINE)
    }
    assert quoted - known == set()


# ---- settings ----


@by_written_page
def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = {each.name for each in fields(Settings)}
    named = set(re.findall(r"LEASELINE_[A-Z_]*[A-Z]", page.read_text())) - NOT_SETTINGS
    given = {name.removeprefix("LEASELINE_").lower() for name in named}
    for kind, block in BLOCK.findall(page.read_text()):
        given |= set(re.findall(r"^(\w+) =", block, re.MULTILINE)) if kind == "toml" else set()
    assert {name for name in given if name not in known and name.removesuffix("_file") not in known} == set()


@by_written_page
def test_no_page_names_a_machine(page: Path) -> None:
    assert not re.search("|".join(f"/{folder}/" for folder in ("root", "home", "work")), page.read_text())


# ---- dialplan and spool ----


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Asterisk's configuration without an entry: everything but the entries is in it."""
    settings = read_settings({"LEASELINE_HOME": str(tmp_path_factory.mktemp("home"))})
    program = Program("asterisk", (22, 10, 1), "", Path("modules"), Path("data"))
    return render(settings, program, Facts((), (), ()))


def templates() -> str:
    return "\n".join(path.read_text() for path in (CHECKOUT / "dialplan" / "templates").glob("*.j2"))


def test_every_variable_of_the_dialplan_is_documented() -> None:
    written = (CHECKOUT / "dialplan" / name for name in ("render.py", "plans.py", "guards.py"))
    told = templates() + "".join(path.read_text() for path in written)
    used = set(re.findall(r"LL_[A-Z_]*[A-Z]", told))
    documented = set(re.findall(r"^\| `(LL_[A-Z_]+)` \|", read("dialplan.md"), re.MULTILINE))
    assert documented == used


def test_every_context_of_the_dialplan_is_documented() -> None:
    used = {
        re.sub(r"\{\{ (?:target|trunk)\.id \}\}|\{\{ guard\.company_id \}\}|\{\{ end \}\}", "N", name)
        .replace("{{ country }}", "CC")
        .replace("{{ plan.id }}-{{ plan.version }}", "ID-VERSION")
        for name in re.findall(r"^\[(.+?)\]", templates(), re.MULTILINE)
    }
    documented = set(re.findall(r"^\| `(leaseline-[\w-]+)` \|", read("dialplan.md"), re.MULTILINE))
    assert documented == used - {"general"}


def test_every_field_of_the_spool_is_documented(rendered: dict[str, str]) -> None:
    section = read("architecture.md").split("## The spool")[1].split("\n## ")[0]
    common = set(re.findall(r"^\| `(\w+)` \| .*", section.split("And by fact")[0], re.MULTILINE))
    explained = set(re.findall(r"`(\w+)`(?=[^|]*\| )", section))
    lines = re.findall(r'=\{("e":"(\w+)",.*)\}\)$', _spooling(rendered), re.MULTILINE)
    assert {kind for _, kind in lines} == {
        "start",
        "refused",
        "guard",
        "leg",
        "answer",
        "judged",
        "step",
        "taped",
        "end",
    }
    for kind in {kind for _, kind in lines}:
        row = re.search(rf"^\| `{kind}` \| (.*) \|$", section, re.MULTILINE)
        assert row is not None, kind
        # A call that goes out says some things more, and others not.
        forms = [set(re.findall(r'[{,]"(\w+)":', "{" + line)) for line, of in lines if of == kind]
        assert set.union(*forms) == common | set(re.findall(r"`(\w+)`", row[1])), kind
        assert all(common <= written <= explained for written in forms), kind


def _spooling(rendered: dict[str, str]) -> str:
    """All but trial.conf, whose lines go to a file of each trial's own."""
    return "\n".join(text for name, text in rendered.items() if name != "trial.conf")


# ---- HTTP ----


def test_every_address_is_documented(tmp_path: Path) -> None:
    settings = read_settings({"LEASELINE_HOME": str(tmp_path)})
    app = create_app(settings, Database("sqlite://"))
    text = read("integrator.md") + read("api.md")
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            if "path:" not in rule.rule:  # the refusal of everything else
                assert f"`{method} {rule.rule}`" in text


def test_every_metric_is_documented() -> None:
    rows = re.findall(r"^\| `(leaseline_[^`]+)` \| (\w+) \| (.+) \|$", read("operations.md"), re.MULTILINE)
    labels = {it.name: f"{{{','.join(it.labels)}}}" if it.labels else "" for it in METRICS}
    assert rows == [(it.name + labels[it.name], it.kind, it.about) for it in METRICS]
