"""Bringing our part to a phone system's own Asterisk: written beside its files, reloaded, looked at."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from dialplan import include
from dialplan.apply import Applied, command, make_folders, running
from dialplan.check import needed
from dialplan.facts import Facts, problems
from dialplan.program import Program
from dialplan.render import Place, place_of
from tracker.errors import Rejected
from tracker.settings import Settings

_RELOADS = {
    "manager.conf": "manager reload",
    "features.conf": "module reload features",
    "pjsip.conf": "module reload res_pjsip.so",
}


def apply_inside(settings: Settings, program: Program, facts: Facts, *, dry: bool = False) -> Applied:
    """Make our part of that Asterisk's dialplan say what the database says; `dry`: only look.

    Raises Rejected where an entry is wrong; its own files are never touched.
    """
    if found := problems(facts):
        raise Rejected("apply.entry", "; ".join(found), "Nothing was changed. Correct it and apply again.")
    place = place_of(settings)
    files = include.parts(settings, program, facts)
    before = include.written(place.current)
    names = sorted(files.keys() | before.keys())
    changed = tuple(name for name in names if files.get(name) != before.get(name))
    if dry:
        return Applied(changed, reloaded=False, diff=_diff(before, files))
    make_folders(place)
    include.write(place.current, files)
    if not running(place):
        return Applied(changed, reloaded=False)
    if changed:
        command(program, place, "dialplan reload")
        for name in changed:
            if name in _RELOADS:
                command(program, place, _RELOADS[name])
    return Applied(changed, reloaded=True)


def look(settings: Settings, program: Program, files: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """What the running Asterisk knows of ours: what was asked, and what is wrong with it (None: nothing)."""
    place = place_of(settings)
    if not running(place):
        return [("console", f"no Asterisk answers at {place.socket}")]
    return [
        ("dialplan", _dialplan(program, place, files)),
        ("modules", _modules(program, place, files)),
        ("manager user", _manager(program, place)),
    ]


def _dialplan(program: Program, place: Place, files: Mapping[str, str]) -> str | None:
    contexts = set(re.findall(r"(?m)^\[(leaseline-[\w-]+)\]", "\n".join(files.values())))
    shown = command(program, place, "dialplan show")
    known = set(re.findall(r"Context '([^']+)'", shown))
    missing = sorted(contexts - known)
    return f"it does not know {', '.join(missing[:3])}: `leaseline apply`" if missing else None


def _modules(program: Program, place: Place, files: Mapping[str, str]) -> str | None:
    """A call that comes to an application that is not there ends."""
    asked = ("core show applications", "core show functions")
    shown = "\n".join(command(program, place, each) for each in asked).lower()
    there = set(re.findall(r"(?m)^\s*(\w+)", shown))
    missing = sorted(name for name in needed(files) if name.lower() not in there)
    return f"it has no {', '.join(missing)}: load the modules of these" if missing else None


def _manager(program: Program, place: Place) -> str | None:
    shown = command(program, place, "manager show user leaseline")
    if "username: leaseline" not in shown:
        return "it has no manager user leaseline, or its manager interface is off"
    return None


def _diff(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    lines: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        one, other = (each.get(name, "").splitlines() for each in (before, after))
        lines += difflib.unified_diff(one, other, f"{name} (now)", f"{name} (new)", lineterm="", n=1)
    # Shown on terminals and pasted into tickets: passwords stay out.
    return re.sub(r"(?m)^([-+ ](?:password|secret) = ).*", r"\1…", "\n".join(lines))
