"""`leaseline trunk test`: is the carrier there, does it let us in, does a call go out? In words."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from commands.context import here, json_option
from commands.printing import print_json
from commands.trial import Step, Trial, outcome, placed

if TYPE_CHECKING:
    from commands.context import Here
    from tracker.models import Trunk

ANSWER_SECONDS = 5.0


@click.command("test")
@click.argument("name")
@click.argument("number", required=False)
@click.option("--shown", help="The number shown as the caller; default: our first number.")
@json_option
def test_command(name: str, number: str | None, shown: str | None, as_json: bool) -> None:
    """Try a carrier: find it, ask it, log in, and with NUMBER really call it.

    What fails is explained, with what to do; the exit code is then 1. A call that is answered plays a tone
    for some seconds and may cost what any call costs.

    \b
    Examples:
      leaseline trunk test carrier
      leaseline trunk test carrier "+49 30 123456"
    """
    from tracker import trunks

    opened = here()
    with opened.database.read() as session:
        trunk = trunks.get(session, name)
        own, region = _own(session)
        called, dialled = (None, "") if number is None else _dialled(trunk, number, region)
        shown = shown or own
    print_steps(list(_steps(opened, trunk, called, dialled, shown or "")), as_json=as_json)


def print_steps(steps: list[Step], *, as_json: bool, **more: Any) -> None:
    """Each step with what came of it; exits with 1 when one failed."""
    ok = all(step.ok for step in steps)
    if as_json:
        print_json({"ok": ok, "steps": [asdict(step) for step in steps], **more})
    for step in () if as_json else steps:
        click.echo(f"{'ok  ' if step.ok else 'FAIL'}  {step.name}: {step.sentence}")
        if step.fix:
            click.echo(f"      {step.fix}.")
    if not ok:
        raise SystemExit(1)


def _own(session: Any) -> tuple[str | None, str]:
    """Our first number, and the region numbers are read by."""
    import sqlalchemy as sa

    from tracker.models import Company, Number, NumberState

    first = sa.select(Number.e164).where(Number.state == NumberState.ACTIVE).order_by(Number.id).limit(1)
    region = session.scalar(sa.select(Company.default_region).order_by(Company.id).limit(1))
    return session.scalar(first), region or "ZZ"


def _dialled(trunk: Trunk, number: str, region: str) -> tuple[str, str]:
    from tracker.policy.phone import dialled_as, read_number

    e164 = read_number(number, trunk.country or region)
    return e164, dialled_as(e164, trunk.dial_as.value, trunk.country or "")


def _steps(opened: Here, trunk: Trunk, called: str | None, dialled: str, shown: str) -> Iterator[Step]:
    """One after the other; what cannot work after a failure is not tried."""
    if trunk.retired_at is not None:
        yield Step("trunk", False, "It is switched off", f"leaseline trunk restore {trunk.name}")
        return
    found = list(_reached(trunk))
    yield from found
    if not all(step.ok for step in found):
        return
    yield (known := _known(opened, trunk))
    if not known.ok:
        return
    yield _asked(opened, trunk)
    if trunk.kind.value == "registration":
        yield _registered(opened, trunk)
    if called:
        yield from _called(opened, trunk, called, dialled, shown)


def _reached(trunk: Trunk) -> Iterator[Step]:
    """DNS, and for TCP and TLS the connection itself."""
    host, port = _next_hop(trunk)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        fix = "Check --host; look whether this machine can ask DNS"
        yield Step("name", False, f"{host} has no address", fix)
        return
    yield Step("name", True, f"{host} is {found[0][4][0]}")
    if trunk.transport.value != "udp":
        yield _connected(trunk, host, port)


def _next_hop(trunk: Trunk) -> tuple[str, int]:
    """Whom we send to: the proxy where there is one."""
    proxy = re.fullmatch(r"(\[[^]]+\]|[^:]+)(?::(\d+))?", trunk.outbound_proxy or "")
    if proxy is None:
        return trunk.host, trunk.port
    return proxy[1].strip("[]"), int(proxy[2] or (5061 if trunk.transport.value == "tls" else 5060))


def _connected(trunk: Trunk, host: str, port: int) -> Step:
    from tracker.policy.sip_answers import explain_tls

    try:
        with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as plain:
            if trunk.transport.value == "tcp":
                return Step("connection", True, f"TCP to port {port} is open")
            with _believing(trunk).wrap_socket(plain, server_hostname=host) as safe:
                return Step("connection", True, f"{safe.version()}, certificate accepted")
    except ssl.SSLCertVerificationError as error:
        told = explain_tls(error.verify_code)
        return Step("connection", False, told.sentence, told.fix)
    except ssl.SSLError as error:
        fix = "Check --port: carriers speak TLS mostly on 5061"
        return Step("connection", False, f"No TLS is spoken there ({error.reason})", fix)
    except OSError as error:
        why = error.strerror or "no answer in time"
        fix = "Check --host, --port and the firewall on both sides"
        return Step("connection", False, f"Port {port} does not open: {why}", fix)


def _believing(trunk: Trunk) -> ssl.SSLContext:
    """Believes what Asterisk will."""
    context = ssl.create_default_context(cafile=trunk.tls_ca or here().settings.sip_tls_ca)
    if not trunk.tls_verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _console(opened: Here, line: str) -> str:
    from dialplan.apply import command
    from dialplan.program import find_program
    from dialplan.render import place_of

    return command(find_program(opened.settings), place_of(opened.settings), line)


def _known(opened: Here, trunk: Trunk) -> Step:
    if f"trunk-{trunk.id}" in _console(opened, f"pjsip show endpoint trunk-{trunk.id}").split("Objects")[0]:
        return Step("Asterisk", True, "knows it")
    return Step("Asterisk", False, "does not know it", "Run `leaseline apply`")


def _asked(opened: Here, trunk: Trunk) -> Step:
    """OPTIONS, as they are sent all the time, now."""
    _console(opened, f"pjsip qualify trunk-{trunk.id}")
    end = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < end:
        state = re.search(rf"trunk-{trunk.id}/\S+\s+\w+\s+(\w+)", _console(opened, "pjsip show contacts"))
        if state and state[1] == "Avail":
            return Step("OPTIONS", True, "it answers")
        if state and state[1] == "NonQual":
            return Step("OPTIONS", True, "it is never asked, as is set")
        if state and state[1] == "Unavail":
            break
        time.sleep(0.3)
    fix = (
        "Check --host, --port and the firewall; some carriers never answer OPTIONS: then --qualify-seconds 0"
    )
    return Step("OPTIONS", False, "it does not answer them", fix)


def _registered(opened: Here, trunk: Trunk) -> Step:
    from dialplan.render import place_of
    from tracker.policy.sip_answers import explain_registration, registration_answer

    log = place_of(opened.settings).logs / "messages"
    known = log.stat().st_size if log.exists() else 0
    _console(opened, f"pjsip send register trunk-{trunk.id}")
    end = time.monotonic() + ANSWER_SECONDS
    told = ""
    while time.monotonic() < end:
        time.sleep(0.3)
        with suppress(FileNotFoundError), log.open("rb") as file:
            file.seek(known)
            told = file.read().decode(errors="replace")
        said, code = registration_answer(told)
        if said:
            why = explain_registration(code)
            shown = f"{why.sentence} ({code})" if code else why.sentence
            return Step("log-in", False, shown, why.fix)
        state = re.search(rf"trunk-{trunk.id}/.*?\s(\w+)\s", _console(opened, "pjsip show registrations"))
        if state and state[0].rstrip().endswith("Registered"):
            return Step("log-in", True, "we are logged in")
    why = explain_registration(None)
    return Step("log-in", False, why.sentence, why.fix)


def _called(opened: Here, trunk: Trunk, called: str, dialled: str, shown: str) -> Iterator[Step]:
    with placed(opened, trunk.id, dialled, shown) as look:
        trial = outcome(look)
    yield from told(trial, called)


def told(trial: Trial, called: str) -> Iterator[Step]:
    """What became of the call, in words."""
    from tracker.policy.sip_answers import code_of, explain

    if trial.answered_at is not None:
        yield Step("call", True, f"{called} was answered")
        yield _sound(trial)
        return
    if not trial.ended:
        fix = "See `leaseline doctor`"
        yield Step("call", False, "nothing is known of it: Asterisk did not carry it out", fix)
        return
    code = code_of(trial.sip)
    if code is None and trial.status in {"NOANSWER", "CANCEL"}:
        yield Step("call", True, f"{called} rang, and nobody answered: the way there works")
        return
    why = explain(code)
    shown = f"{why.sentence} ({trial.sip.strip()})" if code else why.sentence
    yield Step("call", False, shown, why.fix)


def _sound(trial: Trial) -> Step:
    if trial.came is None or trial.went is None:
        return Step("sound", True, "was not measured")
    if trial.came and trial.went:
        return Step("sound", True, f"went both ways: {trial.came} packets came, {trial.went} went")
    fix = "Open the RTP ports (rtp_start to rtp_end); behind NAT set sip_external_address"
    side = "none came from there" if not trial.came else "none went there"
    return Step("sound", False, f"did not go both ways: {side}", fix)
