"""Is a rendering whole? Every file parses, every jump lands, every application's module is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

# Which module brings what the dialplan uses; built-in ones need none.
_APPLICATIONS = {
    "AGI": "res_agi", "Answer": None, "Dial": "app_dial", "ExecIf": "app_exec", "Gosub": "app_stack",
    "GosubIf": "app_stack", "MixMonitor": "app_mixmonitor",
    "Playback": "app_playback", "Playtones": "app_playtones", "Read": "app_read", "Return": "app_stack",
    "StopMixMonitor": "app_mixmonitor", "StopPlaytones": "app_playtones",
    "Goto": None, "GotoIf": None, "Hangup": None, "MSet": None, "NoOp": None,
    "Progress": None, "Set": None, "Wait": None, "WaitExten": None,
}  # fmt: skip
_FUNCTION = re.compile(r"(?:\$\{|(?:^|[,(])(?=[A-Z_]+\([^()]*\)=))([A-Z_]+)\(")  # read, or written to
_SECTION = re.compile(r"\[([A-Za-z0-9_-]+)\](\([^)]*\))?\s*(;.*)?")
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(\([^=]*\))?\s*=>?.*")
_INCLUDE = re.compile(r'#(try)?include\s+"?[^"]+"?')
_EXTEN = re.compile(r"(?:exten\s*=>\s*([^,]+),([^,]+),|same\s*=>\s*([^,]+),)(.*)")


def check(files: Mapping[str, str], additions: Path) -> list[str]:
    """What is wrong with a rendering and the hand-written additions beside it; empty when nothing is."""
    own = {str(path): path.read_text(errors="replace") for path in sorted(additions.glob("*.conf"))}
    return [
        *(problem for name, text in {**files, **own}.items() for problem in _shape(name, text)),
        *_jumps(files),
        *_modules(files),
    ]


def _shape(name: str, text: str) -> Iterator[str]:
    in_section = False
    for count, line in enumerate(text.splitlines(), 1):
        stripped = (
            line.split(";", 1)[0].strip() if not line.lstrip().startswith(("exten", "same")) else line.strip()
        )
        if not stripped or _INCLUDE.fullmatch(stripped):
            continue
        if _SECTION.fullmatch(stripped):
            in_section = True
        elif not _SETTING.fullmatch(stripped):
            yield f"{name} line {count}: “{stripped[:60]}” is neither a [section] nor name = value"
        elif not in_section:
            yield f"{name} line {count}: “{stripped[:60]}” stands before any [section]"


def steps(text: str) -> Iterator[tuple[str, str, str, str, str]]:
    """(context, extension, label, application, arguments) of every dialplan line."""
    context = extension = ""
    for line in text.splitlines():
        stripped = line.strip()
        if section := _SECTION.fullmatch(stripped):
            context = section[1]
        elif found := _EXTEN.match(stripped):
            extension = (found[1] or extension).strip()
            priority = found[2] or found[3]
            label = re.search(r"\((\w+)\)", priority)
            call = re.match(r"\s*(\w+)\((.*)\)", found[4])
            if call:
                yield context, extension, label[1] if label else "", call[1], call[2]


def needed(files: Mapping[str, str]) -> set[str]:
    """The applications and functions that the dialplan uses, by their names."""
    found = set[str]()
    for text in files.values():
        for _context, _extension, _label, application, arguments in steps(text):
            found |= {application, *_FUNCTION.findall(arguments)}
    return found


def _jumps(files: Mapping[str, str]) -> Iterator[str]:
    everything = [step for text in files.values() for step in steps(text)]
    places = {(context, extension) for context, extension, *_ in everything}
    labels = {(context, extension, label) for context, extension, label, *_ in everything if label}
    for context, extension, _label, application, arguments in everything:
        if application == "Goto":
            place = (context, extension, *arguments.split(","))[-3:] if "," in arguments else None
            if place and "$" not in arguments and (_full(context, extension, arguments)[:2] not in places):
                yield f"[{context}] {extension}: Goto({arguments}) leads nowhere"
        elif application == "GotoIf":
            for label in re.findall(r"[?:](\w+)$", arguments):
                if (context, extension, label) not in labels:
                    yield f"[{context}] {extension}: no label {label}"


def _full(context: str, extension: str, arguments: str) -> tuple[str, str, str]:
    parts = arguments.split(",")
    return (*(context, extension)[: 3 - len(parts)], *parts)[:3]  # type: ignore[return-value]


def _modules(files: Mapping[str, str]) -> Iterator[str]:
    loaded = set(re.findall(r"(?m)^load = (\w+)\.so", files.get("modules.conf", "")))
    for name, text in files.items():
        for context, extension, _label, application, _arguments in steps(text):
            if application not in _APPLICATIONS:
                yield f"{name} [{context}] {extension}: the path of a call uses no application {application}"
            elif (module := _APPLICATIONS[application]) and module not in loaded:
                yield f"modules.conf does not load {module}, which {application} in [{context}] needs"
