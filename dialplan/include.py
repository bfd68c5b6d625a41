"""Inside a phone system's own Asterisk: our part of its dialplan, as files of ours that its files include.

    files = parts(settings, program, facts)        # by name, below leaseline.d
    write(folder, files)                           # nothing else in that folder is touched

Every context is called leaseline-…, nothing is set for all ([general]), and the lines to be added by hand
include with #tryinclude: once our files are gone, theirs say what they said before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dialplan.facts import Facts, TargetFacts
from dialplan.program import Program
from dialplan.render import INCLUDED as FOLDER
from dialplan.render import render
from tracker.errors import Rejected
from tracker.settings import Settings

ENTRY = "extensions.conf"
_HEAD = "; {name}: rendered by `leaseline asterisk include`. Changes made here are lost."
_OURS = re.compile(r"; [\w.-]+: rendered by `leaseline ")
_INCLUDED = re.compile(r'(?m)^#include "([\w.-]+)"')
_CONTEXT = re.compile(r"(?m)^\[([^\]]+)\]")
_RINGING = ("extension", "peer")  # kinds of targets that such an Asterisk can ring
_DEEPEST = 5  # files that include files

_FREEPBX_CONTEXT = """
; Where a FreePBX inbound route leads, as a Custom Destination: leaseline-freepbx,s,1
[leaseline-freepbx]
exten => s,1,Goto(leaseline-arrive,${FROM_DID},1)
"""
_PEER = """
; ---- {about} ----

[target-{id}]
type = endpoint
context = leaseline-from-{id}
aors = target-{id}
disallow = all
allow = alaw,ulaw
direct_media = no
rtp_symmetric = yes
send_pai = {send_pai}

[target-{id}]
type = aor
contact = sip:{host}:{port}{more}
qualify_frequency = {options}
"""


@dataclass(frozen=True)
class Wanted:
    """A line that somebody has to add to a file of the phone system's, below `section` where one is named."""

    file: str
    line: str
    why: str
    section: str | None = None


@dataclass(frozen=True)
class Found:
    """Whether such a line is there, and where."""

    wanted: Wanted
    at: str | None  # FILE:LINE


def parts(settings: Settings, program: Program, facts: Facts) -> dict[str, str]:
    """Every file of ours by its name. Raises Rejected include.target for a target that cannot ring there."""
    facts = replace(facts, trunks=(), targets=tuple(_targets(facts)))
    rendered = render(settings, program, facts)
    names = [name for name in _INCLUDED.findall(rendered[ENTRY]) if name in rendered]
    files = {name: _headed(name, rendered[name]) for name in names}
    lines = "\n".join(f"#include {FOLDER}/{name}" for name in names)
    files[ENTRY] = f"{_HEAD.format(name=ENTRY)}\n\n{lines}\n{_FREEPBX_CONTEXT}"
    files["manager.conf"] = _manager(rendered["manager.conf"])
    files["features.conf"] = _below(rendered["features.conf"], "applicationmap")
    files["pjsip.conf"] = _pjsip(settings, facts)
    _check(files, names)
    return files


def lines_to_add(files: Mapping[str, str], *, freepbx: bool, judged: bool) -> list[Wanted]:
    """What has to be added to which file of the phone system's by hand."""
    custom = "_custom" if freepbx else ""
    wanted = [
        Wanted(f"extensions{custom}.conf", _line(ENTRY), "our part of the dialplan"),
        Wanted(f"manager{custom}.conf", _line("manager.conf"), "the manager user that looks at live calls"),
    ]
    if "[target-" in files["pjsip.conf"]:
        wanted.append(
            Wanted(f"pjsip{custom}.conf", _line("pjsip.conf"), "phone systems that ring as targets")
        )
    if judged:
        file = "features_applicationmap_custom.conf" if freepbx else "features.conf"
        section = None if freepbx else "applicationmap"
        wanted.append(Wanted(file, _line("features.conf"), "what calls were worth, by keys", section))
    return wanted


def route_lines(*, freepbx: bool) -> list[str]:
    """What the inbound route has to do, as lines to show."""
    if freepbx:
        return [
            "Custom Destination: leaseline-freepbx,s,1   (Admin, Custom Destinations; then Inbound Routes)"
        ]
    return [
        "exten => _[+0-9].,1,GotoIf($[${DIALPLAN_EXISTS(leaseline-numbers,${EXTEN},1)}]"
        "?leaseline-arrive,${EXTEN},1)",
        " same => n,…   ; as before: numbers that are not ours, and every number once ours are removed",
    ]


def is_freepbx(folder: Path) -> bool:
    """Whether FreePBX writes that folder."""
    return (folder / "extensions_additional.conf").exists()


def written(folder: Path) -> dict[str, str]:
    """Our files that are there."""
    found = sorted((folder / FOLDER).glob("*.conf")) if (folder / FOLDER).is_dir() else []
    texts = {path.name: path.read_text(errors="replace") for path in found}
    return {name: text for name, text in texts.items() if _OURS.match(text)}


def write(folder: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    """Write our files, each at once; gives those that changed. Raises Rejected include.folder."""
    if not (folder / "asterisk.conf").exists() and not (folder / ENTRY).exists():
        raise Rejected(
            "include.folder",
            "%(folder)s is no configuration folder of an Asterisk",
            "Name it: --for /etc/asterisk",
            folder=str(folder),
        )
    before, ours = written(folder), folder / FOLDER
    ours.mkdir(mode=0o750, exist_ok=True)
    _share(ours, folder, 0o750)
    changed = [name for name in sorted(files) if files[name] != before.get(name)]
    for name in changed:
        fresh = ours / f".{name}.new"
        fresh.write_text(files[name])
        _share(fresh, folder, 0o640)
        fresh.replace(ours / name)
    gone = sorted(before.keys() - files.keys())
    for name in gone:
        (ours / name).unlink()
    return (*changed, *gone)


def remove(folder: Path) -> tuple[str, ...]:
    """Delete our files, and their folder if nothing else is in it; gives their names."""
    names = sorted(written(folder))
    for name in names:
        (folder / FOLDER / name).unlink()
    if (folder / FOLDER).is_dir() and not any((folder / FOLDER).iterdir()):
        (folder / FOLDER).rmdir()
    return tuple(names)


def find_lines(folder: Path, wanted: Iterable[Wanted]) -> list[Found]:
    """Where each of these lines is, in the file named or in one that it includes."""
    return [Found(each, _search(folder, each)) for each in wanted]


def left_behind(folder: Path) -> list[str]:
    """Every line in the phone system's files that speaks of ours, as FILE:LINE: TEXT."""
    found = []
    for path in sorted(folder.glob("*.conf")):
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            if "leaseline" in line.partition(";")[0]:
                found.append(f"{path.name}:{number}: {line.strip()}")
    return found


def _targets(facts: Facts) -> Iterator[TargetFacts]:
    rung = {ring.target_id for number in facts.numbers for ring in number.rings}
    for target in facts.targets:
        if target.kind in _RINGING:
            yield replace(target, out=None)  # calls out are the phone system's own
        elif target.id in rung:
            raise Rejected(
                "include.target",
                "%(about)s cannot ring inside another Asterisk",
                "Use an extension of the phone system: `leaseline target add NAME --extension 101`",
                about=target.about,
            )


def _headed(name: str, text: str) -> str:
    """The text under a heading of its own: the rendered one speaks of additions in another folder."""
    body = text.split("\n", 3)[3] if text.startswith(f"; {name}: rendered") else text
    return f"{_HEAD.format(name=name)}\n{body}"


def _line(name: str) -> str:
    return f"#tryinclude {FOLDER}/{name}"


def _manager(rendered: str) -> str:
    """The user that can look and nothing else; what is said for all users is theirs to say.

    Callbacks go out over a trunk of ours, of which there is none here: their user stays out.
    """
    user = rendered[rendered.index("[leaseline]") : rendered.index("[leaseline-callbacks]")]
    return f"{_HEAD.format(name='manager.conf')}\n\n" + re.sub(
        r"(?m)^; Yours.*\n|^#tryinclude.*\n?", "", user
    )


def _below(rendered: str, section: str) -> str:
    body = rendered.partition(f"[{section}]\n")[2].partition("\n[")[0]
    return f"{_HEAD.format(name='features.conf')}\n; Include it below [{section}].\n{body}"


def _pjsip(settings: Settings, facts: Facts) -> str:
    peers = [
        _PEER.format(
            about=target.about.replace(";", ","), id=target.id, host=target.host, port=target.port,
            more=";transport=tcp" if target.transport == "tcp" else "",
            send_pai="yes" if target.caller_id == "caller" else "no", options=settings.sip_options_seconds,
        )
        for target in facts.targets
        if target.kind == "peer"
    ]  # fmt: skip
    return f"{_HEAD.format(name='pjsip.conf')}\n" + "".join(peers)


def _check(files: Mapping[str, str], dialplan: Iterable[str]) -> None:
    """Raises ValueError for a mistake of ours that would reach into the phone system's own configuration."""
    for name in (*dialplan, ENTRY):
        if strange := [it for it in _CONTEXT.findall(files[name]) if not it.startswith("leaseline-")]:
            raise ValueError(f"{name} has the context {strange[0]}")


def _share(path: Path, folder: Path, mode: int) -> None:
    """Readable for whoever may read the phone system's own files; they hold a secret."""
    if os.geteuid() == 0:
        about = folder.stat()
        os.chown(path, about.st_uid, about.st_gid)
    path.chmod(mode)


def _search(folder: Path, wanted: Wanted) -> str | None:
    todo, seen = [(wanted.file, 0)], set()
    name = wanted.line.split()[-1]
    while todo:
        file, depth = todo.pop(0)
        path = folder / file
        if path in seen or depth > _DEEPEST or not path.is_file():
            continue
        seen.add(path)
        section = None
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            if opened := _CONTEXT.match(line):
                section = opened[1]
            included = re.match(r'\s*#(?:try)?include\s+[<"]?([^>";]+?)[>"]?\s*(?:;.*)?$', line)
            if not included:
                continue
            if included[1].removeprefix(f"{folder}/") == name and wanted.section in {None, section}:
                return f"{file}:{number}"
            todo.append((included[1], depth + 1))
    return None
