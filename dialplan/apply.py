"""From the database to a running Asterisk: render beside the old, check, swap in one step, reload, verify.

Whatever goes wrong on the way, Asterisk keeps what it had, and the message names the entry that is wrong.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dialplan.certificate import tls_of
from dialplan.check import check
from dialplan.facts import Facts, problems
from dialplan.program import Program
from dialplan.render import Place, place_of, render
from tracker import sounds
from tracker.errors import Rejected
from tracker.settings import Settings

KEPT_RELEASES = 10
BOOT_SECONDS = 60.0

# Asterisk re-reads a file when the module behind it is told to; these files are only read at its start.
_ONLY_AT_START = {"asterisk.conf", "modules.conf", "rtp.conf"}
# A line of Asterisk's log by which a part that reads configuration says that it refuses something.
_COMPLAINT = re.compile(
    r"(?m)^\[[^]]*\] ERROR\[\d+\](?:\[[^]]*\])?"
    r" (?:config|config_options|pbx_config|res_sorcery_config)\.c: (.*)$"
)
_MOST_COMPLAINTS = 3
_MODULES = {
    "pjsip.conf": (
        "res_pjsip.so",
        "res_pjsip_endpoint_identifier_ip.so",
        "res_pjsip_outbound_registration.so",
    ),
    "manager.conf": ("manager",),
    "logger.conf": ("logger",),
    "musiconhold.conf": ("res_musiconhold.so",),
    "features.conf": ("features",),
    "indications.conf": ("indications",),
    "cdr.conf": ("cdr",),
    "cdr_custom.conf": ("cdr_custom.so",),
    "cel.conf": ("cel",),
    "cel_custom.conf": ("cel_custom.so",),
}


@dataclass(frozen=True)
class Applied:
    """What an apply did. `changed` names files; `restart` those that Asterisk reads only at its start."""

    changed: tuple[str, ...]
    reloaded: bool
    restart: tuple[str, ...] = ()
    diff: str = field(default="", repr=False)


def apply(settings: Settings, program: Program, facts: Facts, now: datetime, *, dry: bool = False) -> Applied:
    """Make Asterisk do what the database says.

    With `dry` nothing is touched and the difference is returned. Raises Rejected, with Asterisk's
    configuration as it was, when an entry is wrong, a file does not pass or Asterisk does not take it.
    """
    if found := [*problems(facts), *_extensions(facts)]:
        raise Rejected("apply.entry", "; ".join(found), "Nothing was changed. Correct it and apply again.")
    place = place_of(settings)
    make_folders(place)
    files = render(settings, program, facts, tls_of(settings, make=not dry))
    if not dry:
        sounds.make_tones(settings)
    before = _read(place.current)
    changed = tuple(
        sorted(name for name in files.keys() | before.keys() if files.get(name) != before.get(name))
    )
    _check_authorities(facts)
    if found := check(files, place.additions):
        raise Rejected("apply.file", "; ".join(found), "Nothing was changed.")
    if dry:
        return Applied(changed, reloaded=False, diff=_diff(before, files))
    previous = place.current.resolve() if place.current.exists() else None
    if changed:
        _swap(place, _write(place, files, now))
    return _bring_to_asterisk(place, program, facts, changed, previous)


def _extensions(facts: Facts) -> list[str]:
    return [
        f"{it.about} is an extension of another Asterisk: set LEASELINE_ASTERISK_FOR to its folder"
        for it in facts.targets
        if it.kind == "extension"
    ]


def _check_authorities(facts: Facts) -> None:
    """Asterisk would go without a transport whose file of authorities it cannot read."""
    for path in (way.ca for way in facts.tls_ways.values() if way.ca):
        if not os.access(path, os.R_OK):
            raise Rejected(
                "apply.file",
                "%(path)s, with the authorities a trunk or target is checked by, cannot be read",
                "Nothing was changed. Put the file there, or name another with --tls-ca.",
                path=path,
            )


def answered(place: Place) -> frozenset[str]:
    """The numbers, as E.164, that the configuration in force answers; none before the first apply."""
    try:
        text = (place.parts / "numbers.conf").read_text()
    except FileNotFoundError:
        return frozenset()
    return frozenset(re.findall(r"(?m)^exten => (\+\d+),1,MSet\(LL_DID=", text))


def running(place: Place) -> bool:
    """Whether an Asterisk answers on this installation's control socket."""
    return place.socket.exists()


def command(program: Program, place: Place, line: str, *, seconds: float = 15) -> str:
    """One line to the running Asterisk's console, and what it said. Raises Rejected when nobody answers."""
    arguments = [program.path, "-C", str(place.current / "asterisk.conf"), "-rx", line]
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise Rejected(
            "asterisk.silent",
            "Asterisk did not answer “%(line)s” within %(seconds)s s",
            "Look at `leaseline doctor` and `leaseline logs asterisk`.",
            line=line,
            seconds=f"{seconds:.0f}",
        ) from None
    if done.returncode:
        raise Rejected(
            "asterisk.down",
            "Asterisk is not running",
            "Start it with `leaseline up`; `leaseline logs asterisk` says why it ended",
        )
    return done.stdout


def make_folders(place: Place) -> None:
    """Every folder Asterisk writes to; it makes none itself. They hold passwords: the owner's alone."""
    for folder in (
        place.releases,
        place.additions,
        place.state,
        place.run,
        place.calls,
        place.recordings,
        place.trials,
        place.logs / "cdr-custom",
        place.logs / "cel-custom",
    ):
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    for folder in (place.releases, place.additions, place.run):
        folder.chmod(0o700)
    if len(os.fsencode(place.socket)) > 100:
        raise Rejected(
            "home.long",
            "%(socket)s is too long for a socket's name",
            "Set LEASELINE_HOME to a shorter path.",
            socket=place.socket,
        )


def _read(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*.conf")} if folder.exists() else {}


def _write(place: Place, files: Mapping[str, str], now: datetime) -> Path:
    digest = hashlib.sha256("".join(name + files[name] for name in sorted(files)).encode()).hexdigest()[:8]
    release = place.releases / f"{now:%Y%m%dT%H%M%S.%f}-{digest}"
    release.mkdir(mode=0o700)
    for name, text in files.items():
        with (release / name).open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    return release


def _swap(place: Place, release: Path) -> None:
    """Point `current` at the release: Asterisk finds the old files or the new ones, always whole."""
    link = place.current.with_name("current.new")
    with suppress(FileNotFoundError):
        link.unlink()
    link.symlink_to(release.relative_to(place.current.parent))
    link.rename(place.current)
    releases = sorted(path for path in place.releases.iterdir() if path != release)
    for old in releases[:-KEPT_RELEASES]:
        shutil.rmtree(old)


def _bring_to_asterisk(
    place: Place, program: Program, facts: Facts, changed: tuple[str, ...], previous: Path | None
) -> Applied:
    if not running(place):
        return Applied(changed, reloaded=False)
    try:
        wrong = _reload_and_look(program, place, facts, changed)
    except Rejected as problem:
        if problem.id == "asterisk.down":
            return Applied(changed, reloaded=False)
        wrong = [str(problem)]
    if wrong:
        if previous and changed:
            _swap(place, previous)
            with suppress(Rejected):
                reload(program, place, changed)
        raise Rejected(
            "apply.refused",
            "Asterisk did not take it: %(wrong)s",
            "It goes on with what it had. Correct it and apply again; %(logs)s/messages says more.",
            wrong="; ".join(wrong),
            logs=place.logs,
        )
    return Applied(changed, reloaded=True, restart=tuple(name for name in changed if name in _ONLY_AT_START))


def _reload_and_look(program: Program, place: Place, facts: Facts, changed: tuple[str, ...]) -> list[str]:
    """What Asterisk did not take of the files it has just been told to read; an empty list when it took all.

    An object that was there before stays in its memory when the new one is refused, and is gone after its
    next start: only what it writes about its configuration shows that.
    """
    # Its console answers before its modules do: asked then, it would seem to have taken nothing.
    command(program, place, "core waitfullybooted", seconds=BOOT_SECONDS)
    log = place.logs / "messages"
    known = log.stat().st_size if log.exists() else 0
    # Always, even if no file of ours changed: a hand-written addition may have.
    reload(program, place, changed or ("pjsip.conf", "manager.conf"))
    missing = _not_taken(command(program, place, "pjsip show endpoints"), facts)
    return missing or _complaints(log, known, facts)


def reload(program: Program, place: Place, changed: tuple[str, ...]) -> None:
    """Have Asterisk read the changed files again; calls that are up go on undisturbed."""
    command(program, place, "dialplan reload")
    for name in changed:
        for module in _MODULES.get(name, ()):
            command(program, place, f"module reload {module}")


def _not_taken(listing: str, facts: Facts) -> list[str]:
    """Trunks and targets that Asterisk does not list after the reload, as people know them."""
    listed = set(re.findall(r"^ Endpoint:\s+([^\s/]+)", listing, flags=re.MULTILINE))
    return [about for name, about in _endpoints(facts).items() if name not in listed]


def _complaints(log: Path, known: int, facts: Facts) -> list[str]:
    """What the readers of configuration wrote into the log after its first `known` bytes."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(known if known <= log.stat().st_size else 0)  # a rotated log begins anew
        found = _COMPLAINT.findall(file.read().decode(errors="replace"))
    for name, about in _endpoints(facts).items():
        found = [text.replace(f"'{name}'", about) for text in found]
    return [" ".join(text.split()) for text in dict.fromkeys(found)][:_MOST_COMPLAINTS]


def _endpoints(facts: Facts) -> dict[str, str]:
    """Trunks and targets by their names in Asterisk, as people know them."""
    names = {f"trunk-{trunk.id}": trunk.about for trunk in facts.trunks}
    return names | {
        f"target-{target.id}": target.about for target in facts.targets if target.kind != "outside"
    }


def _diff(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    lines: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        lines += difflib.unified_diff(
            before.get(name, "").splitlines(),
            after.get(name, "").splitlines(),
            f"{name} (now)",
            f"{name} (new)",
            lineterm="",
            n=1,
        )
    # Shown on terminals and pasted into tickets: passwords stay out.
    return re.sub(r"(?m)^([-+ ](?:password|secret|set_var|match_header) = ).*", r"\1…", "\n".join(lines))
