"""From facts to Asterisk's configuration files: pure text in, text out."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from dialplan.certificate import Tls
from dialplan.facts import Facts, TargetFacts
from dialplan.guards import guard_words
from dialplan.plans import PlanFacts, plan_words
from dialplan.program import Program
from dialplan.tones import zones
from tracker.forwarding import Rings
from tracker.live import AMI_EVENTS, CALLBACK_EVENTS
from tracker.policy.worth import CODED
from tracker.settings import CHECKOUT, Settings
from tracker.sounds import TONES

INCLUDED = "leaseline.d"  # where our files are in a phone system's configuration
TRIAL_RING_SECONDS, TRIAL_TALK_SECONDS = 40, 4
_TEMPLATES = (CHECKOUT / "dialplan" / "templates", CHECKOUT / "asterisk" / "templates")


OUTGOING_SECONDS = 90  # that somebody outside may be rung; his network gives up earlier


@dataclass(frozen=True)
class Place:
    """The folders our Asterisk lives in."""

    current: Path  # what Asterisk reads: a link to one of `releases`
    releases: Path
    additions: Path  # hand-written files that survive every rendering
    state: Path
    run: Path
    logs: Path
    calls: Path  # the spool of lines
    recordings: Path  # the spool of sound
    parts: Path  # our dialplan: the same as `current`, or a folder of ours in a phone system's configuration
    trials: Path  # what became of calls that were made to try a way

    @property
    def socket(self) -> Path:
        return self.run / "asterisk.ctl"


def place_of(settings: Settings) -> Place:
    """Where everything of this installation's Asterisk is."""
    folder = settings.asterisk_folder
    return Place(
        current=settings.asterisk_for or folder / "current",
        releases=folder / "releases",
        additions=folder / "conf.d",
        state=folder / "state",
        run=run_folder(settings.asterisk_for) if settings.asterisk_for else settings.home / "run",
        logs=settings.logs / "asterisk",
        calls=settings.spool / "calls",
        recordings=settings.spool / "recordings",
        parts=settings.asterisk_for / INCLUDED if settings.asterisk_for else folder / "current",
        trials=settings.spool / "trials",
    )


def run_folder(folder: Path) -> Path:
    """Where the control socket is of an Asterisk whose configuration is in that folder."""
    try:
        text = (folder / "asterisk.conf").read_text(errors="replace")
    except OSError:
        text = ""
    found = re.search(r"(?m)^\s*astrundir\s*=>?\s*(\S+)", text)
    return Path(found[1]) if found else Path("/var/run/asterisk")


def render(settings: Settings, program: Program, facts: Facts, tls: Tls | None = None) -> dict[str, str]:
    """Every configuration file by its name. The same facts give the same text to the letter."""
    environment = _environment()
    place = place_of(settings)
    context = {
        "settings": settings,
        "program": program,
        "place": place,
        "additions": place.additions,
        "recordings": place.recordings,
        "sounds": settings.sounds,
        "trunks": facts.trunks,
        "targets": facts.targets,
        "numbers": facts.numbers,
        "spelt": facts.spelt,
        "tls": tls,
        "tls_ways": facts.tls_ways,
        "tls_host": sip_host(settings.sip_host),
        "ami_events": AMI_EVENTS,
        "callback_events": CALLBACK_EVENTS,
        "now": "${STRFTIME(,,%s.%3q)}",
        # A phone system has accounts of its own, and trunks whose names say nothing to us.
        "account": "" if settings.asterisk_for else "CHANNEL(accountcode)=${LL_CALL},",
        "endpoint": "" if settings.asterisk_for else "${CHANNEL(endpoint)}",
        "mint": "${UUID()}" if program.mints_uuids else "${UNIQUEID}-${RAND(100000,999999)}",
        # Digits only, and nothing at all of a caller who withholds the number.
        "caller": '${IF($["${CALLERID(num-pres):0:7}" = "allowed"]?${FILTER(0-9+,${CALLERID(num)})})}',
        "domain": settings.sip_external_address or "leaseline.invalid",
        "agi_host": sip_host(settings.agi_host),
        "outgoing_seconds": OUTGOING_SECONDS,
        "knowing": knowing,
        "whispering": lambda target: _RINGING if target.whispers else "",
        "answering": lambda target: answering(target, settings.judge_ask_seconds),
        "tone_zones": zones(program.data, (number.tones for number in facts.numbers)),
        **_trial_words(settings, place),
        **_code_words(settings),
        **guard_words(settings, facts.guards),
        **plan_words(settings, facts.plans),
        "sip_bind": f"{sip_host(settings.sip_host)}:{settings.sip_port}",
    }
    files = {}
    for name in environment.list_templates(filter_func=lambda name: name.endswith(".conf.j2")):
        opening = (
            f"; {name.removesuffix('.j2')}: rendered by `leaseline apply`. Changes made here are lost:\n"
            + _ADVICE
        )
        spool = _Spool(settings, place)
        files[name.removesuffix(".j2")] = environment.get_template(name).render(
            context, opening=opening.format(additions=place.additions), spool=spool
        )
    return files


def _trial_words(settings: Settings, place: Place) -> dict[str, Any]:
    """Of calls that are placed to try a trunk or a number."""
    return {
        "trials": place.trials,
        "knock": hashlib.sha256(f"trial|{settings.secret_key}".encode()).hexdigest()[:32],
        "own_host": {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.sip_host, settings.sip_host),  # noqa: S104
        "trial_ring_seconds": TRIAL_RING_SECONDS,
        "trial_talk_seconds": TRIAL_TALK_SECONDS,
    }


def _code_words(settings: Settings) -> dict[str, Any]:
    """The codes that employees dial during a call."""
    return {
        "judge_codes": list(zip(CODED, settings.judge_codes, strict=True)),
        "judge_features": "#".join(f"leaseline-{word}" for word in CODED),
        "recording_codes": list(zip(TONES, settings.recording_codes, strict=True)),
        "recording_features": "#".join(f"leaseline-{word}" for word in TONES),
    }


_ADVICE = (
    "; change companies, numbers, trunks, targets and forwarding with `leaseline`, then `leaseline apply`.\n"
    "; Additions of your own belong in {additions}, which is never touched."
)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (Asterisk's files are not HTML; facts.problems refuses what could break out)
    )
    environment.filters.update(comment=comment, rings=rings_text, sip_host=sip_host)
    return environment


def comment(text: str) -> str:
    """Names people chose, harmless in a comment: one line, and no `;--`, which opens a block comment."""
    return " ".join(text.replace(";", ",").split())[:200]


def rings_text(rings: Rings) -> str:
    """`3:25-5:20`: target 3 for 25 s, then target 5 for 20 s."""
    return "-".join(f"{ring.target_id}:{ring.ring_seconds}" for ring in rings)


def answering(target: TargetFacts | PlanFacts, ask_seconds: int) -> str:
    """Dial's options for what happens when the target picks up, and to its leg when the caller is gone."""
    asks = target.judges and ask_seconds
    wanted = (target.judges, target.codes, target.whispers)
    return _runs("leaseline-answer", *wanted) + ("F(leaseline-judge-after^s^1)" if asks else "")


_RINGING = '${IF($["${CHANNEL(state)}" = "Up" & "${LL_WHISPER}" != ""]?r)}'


def knowing(target: TargetFacts) -> str:
    """Dial's option by which a phone learns the codes for a call that may be handed to it; "" for none."""
    return _runs("leaseline-knows", target.judges, target.codes) if target.judges or target.codes else ""


def _runs(context: str, *wanted: bool) -> str:
    """`U(context^1^^1)`: on the leg, told by 1 what of it is wanted."""
    return f"U({'^'.join([context, *('1' if each else '' for each in wanted)]).rstrip('^')})"


def sip_host(host: str) -> str:
    """A host as it stands in an address: IPv6 in brackets."""
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host


class _Spool:
    """Writes the dialplan's spool lines: one place that knows their form (tracker.policy.spool reads it)."""

    # Numbers of a call are FILTERed, names URI-encoded: nothing a caller sends can end the line or its JSON.
    _WHO = (
        '"uid":"${UNIQUEID}","lid":"${CHANNEL(linkedid)}","trunk":"${CHANNEL(endpoint)}",'
        '"did":"${LL_DID}","dialled":"${FILTER(0-9+,${CALLERID(dnid)})}",'
        '"cli":"${LL_CALLER}","pres":"${CALLERID(num-pres)}",'
        '"name":"${IF($["${LL_CALLER}" = ""]?:${URIENCODE(${CALLERID(name)})})}","t":${LL_STARTED}'
    )
    _LEG = (
        '"n":"{of}LL_POSITION{end}","target":"{of}LL_TARGET{end}",'
        '"t0":"{of}LL_DIALLED{end}","ring":"{of}RINGTIME_MS{end}"'
    )
    # Whose phone whispered when the caller gave up had not been connected, whatever Dial says.
    _STATUS = (
        '${IF($["${LL_WHISPERING}" != "" & "${LL_WHISPERING}" = "${LL_POSITION}"'
        ' & "${CHANNEL(hangupsource)}" = "${CHANNEL(name)}"]?CANCEL:${DIALSTATUS})}'
    )
    _NOW = '"t":${STRFTIME(,,%s.%3q)}'

    def __init__(self, settings: Settings, place: Place) -> None:
        self.node = settings.node
        self.file = f"{place.calls}/calls-${{STRFTIME(,,%Y%m%d%H)}}.jsonl"

    def __call__(
        self, kind: str, *said: str, first: bool = False, out: bool = False, fields: str = ""
    ) -> str:
        """One line of dialplan that writes one line of the spool; `out`: of a call that goes out."""
        told = getattr(self, f"_{fields or kind}{'_out' if out else ''}")(*said)
        line = f'"e":"{kind}","call":"{self._call(kind)}","node":"{self.node}",{told}'
        place = "exten => s,1" if first else " same => n"
        return f"{place},Set(FILE({self.file},,,al,u)={{{line}}})"

    def _call(self, kind: str) -> str:
        return "${MASTER_CHANNEL(LL_CALL)}" if kind == "answer" else "${LL_CALL}"

    def _leg_fields(self, *, master: bool) -> str:
        return self._LEG.format(of="${MASTER_CHANNEL(" if master else "${", end=")}" if master else "}")

    def _start(self) -> str:
        return self._WHO

    def _start_out(self) -> str:
        return (
            '"uid":"${UNIQUEID}","lid":"${CHANNEL(linkedid)}","trunk":"${LL_WAY}","did":"${LL_DID}",'
            '"dialled":"${LL_WANTED}","cli":"${LL_OUT}","pres":"allowed","dir":"out",'
            '"target":"${LL_TARGET}","t":${LL_STARTED}'
        )

    def _refused_out(self) -> str:
        return '"did":"${LL_WANTED}","target":"${LL_TARGET}","why":"${LL_WHY}",' + self._NOW

    def _callback(self) -> str:
        """The start of a callback: the visitor is its caller, although we call him."""
        return (
            '"dir":"callback","uid":"${UNIQUEID}","lid":"${CHANNEL(linkedid)}","trunk":"trunk-${LL_TRUNK}",'
            '"did":"${LL_DID}","dialled":"${LL_DID}","cli":"${FILTER(0-9+,${LL_CALLER})}","pres":"allowed",'
            '"name":"","t":${LL_STARTED}'
        )

    def _unreached(self) -> str:
        """The end of a callback whose visitor never answered: whoever hung up was the company."""
        return self._end().replace('"ch":"${CHANNEL(name)}"', '"ch":"-"')

    def _gone(self) -> str:
        """The end of a call that went out, on the channel of the person called: he is not who called.

        Where Asterisk names nobody the phone that called was put down.
        """
        source, us = "${CHANNEL(hangupsource)}", "PJSIP/us"
        by = f'${{IF($["{source}" = ""]?{us}:{source})}}'
        ours = f'${{IF($["{source}" = "${{CHANNEL(name)}}" | "{source}" = ""]?{us}:{source})}}'
        told = self._end().replace('"ch":"${CHANNEL(name)}"', f'"ch":"{ours}"')
        return told.replace(f'"by":"{source}"', f'"by":"{by}"')

    def _refused(self) -> str:
        return (
            '"trunk":"${CHANNEL(endpoint)}","did":"${FILTER(0-9+,${EXTEN})}",'
            '"cli":"${LL_CALLER}","pres":"${CALLERID(num-pres)}","why":"unknown_number",' + self._NOW
        )

    def _leg(self) -> str:
        why = '${IF($["${LL_WHY}" = ""]?${HANGUPCAUSE}:${LL_WHY})}'
        return f'{self._leg_fields(master=False)},"st":"${{DIALSTATUS}}","hc":"{why}",{self._NOW}'

    def _answer(self) -> str:
        return f"{self._leg_fields(master=True)},{self._NOW}"

    def _step(self) -> str:
        return (
            '"plan":"${LL_PLAN}","step":"${LL_STEP}","what":"${ARG1}",'
            '"about":"${FILTER(0-9a-z*#,${ARG2})}",' + self._NOW
        )

    def _judged(self) -> str:
        return '"n":"${LL_POSITION}","target":"${LL_TARGET}","worth":"${ARG1}",' + self._NOW

    def _taped(self, what: str) -> str:
        return f'"n":"${{LL_POSITION}}","target":"${{LL_TARGET}}","what":"{what}",{self._NOW}'

    def _guard(self, became: str) -> str:
        return (
            f'"became":"{became}","why":"${{LL_GROUND}}","rule":"${{LL_RULE}}","how":"${{LL_HOW}}",'
            + self._NOW
        )

    def _end(self) -> str:
        return (
            '"uid":"${UNIQUEID}","lid":"${CHANNEL(linkedid)}","ch":"${CHANNEL(name)}",'
            + self._leg_fields(master=False)
            + f',"st":"{self._STATUS}"'
            + ',"hc":"${HANGUPCAUSE}","by":"${CHANNEL(hangupsource)}","ok":"${LL_OK}",'
            + self._NOW
        )
