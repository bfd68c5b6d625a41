"""The configuration: one frozen object, read in one place, refused at start with all problems at once.

Values come from the environment (`LEASELINE_NAME`, or `LEASELINE_NAME_FILE` for a secret kept in a file),
else from `leaseline.toml` in the home folder, else from the defaults below. The same table drives
`leaseline config` and docs/settings.md.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from itertools import permutations
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CHECKOUT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """The configuration cannot be used; the message names every problem and what would be accepted."""


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise ValueError
    return port


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError
    return count


def _whole(text: str) -> int:
    count = int(text)
    if count < 0:
        raise ValueError
    return count


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 1e6:
        raise ValueError
    return seconds


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _networks(text: str) -> tuple[str, ...]:
    return tuple(
        str(ipaddress.ip_network(part.strip(), strict=False)) for part in text.split(",") if part.strip()
    )


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError
    return text.rstrip("/")


def _database_url(text: str) -> str:
    if not re.match(r"(sqlite|postgres|postgresql(\+psycopg)?):", text):
        raise ValueError
    return re.sub(r"^postgres(ql)?:", "postgresql+psycopg:", text)


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,38}", text):
        raise ValueError
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return read


def _mail_address(text: str) -> str:
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", text):
        raise ValueError
    return text


def _copies(text: str) -> tuple[str, ...]:
    kinds = tuple(part.strip() for part in text.split(",") if part.strip())
    if set(kinds) - {"mp3", "opus"}:
        raise ValueError
    return kinds


def _codes(count: int) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        codes = tuple(part.strip() for part in text.split(","))
        if len(codes) != count or not all(re.fullmatch(r"[0-9*#]{1,10}", code) for code in codes):
            raise ValueError
        if _ambiguous(codes):
            raise ValueError
        return codes

    return read


def _ambiguous(codes: tuple[str, ...]) -> bool:
    """Whether one of them is the beginning of another."""
    return any(one.startswith(other) for one, other in permutations(codes, 2))


def _file(text: str) -> str:
    """A path that Asterisk's configuration can hold."""
    if text and not re.fullmatch(r"/[A-Za-z0-9._/+-]{1,250}", text):
        raise ValueError
    return text


def _yes_no(text: str) -> bool:
    return {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}[text.lower()]


def _setting(
    default: Any, read: Callable[[str], Any], accepts: str, meaning: str, *, secret: bool = False
) -> Any:
    about = {"read": read, "accepts": accepts, "meaning": meaning, "secret": secret}
    return field(default=default, metadata=about, repr=not secret)


@dataclass(frozen=True)
class Settings:
    """Every setting of this installation. `None` defaults are derived in `read_settings`."""

    home: Path = _setting(
        CHECKOUT / "var", Path, "a folder", "everything that runs keeps its files below this folder"
    )
    node: str = _setting(
        "main", _name, "small letters, digits and hyphens", "name of this Asterisk, one per machine"
    )
    database_url: str = _setting(
        "",
        _database_url,
        "sqlite:///PATH or postgresql://USER@HOST/NAME",
        "where the books are kept; default: leaseline.db in the home folder",
        secret=True,
    )
    secret_key: str = _setting(
        "",
        str,
        "32 characters or more",
        "signs links and sessions; default: made once, kept in the home folder",
        secret=True,
    )

    web_host: str = _setting("127.0.0.1", _address, "an IP address", "address the web page listens on")
    web_port: int = _setting(8080, _port, "a port", "port the web page listens on")
    web_url: str = _setting(
        "", _url, "http(s)://HOST", "address people type; default: http://web_host:web_port"
    )
    web_workers: int = _setting(1, _count, "a whole number", "web worker processes")
    trusted_proxies: tuple[str, ...] = _setting(
        (), _networks, "networks, separated by commas", "reverse proxies whose X-Forwarded-For is believed"
    )

    sip_host: str = _setting("0.0.0.0", _address, "an IP address", "address Asterisk listens on for SIP")  # noqa: S104
    sip_port: int = _setting(5060, _port, "a port", "port Asterisk listens on for SIP (UDP and TCP)")
    sip_external_address: str = _setting(
        "", _address, "an IP address", "our public address, when Asterisk is behind NAT"
    )
    sip_local_networks: tuple[str, ...] = _setting(
        (), _networks, "networks, separated by commas", "networks reached without NAT"
    )
    sip_tls_port: int = _setting(
        0, _port, "a port", "port Asterisk listens on for SIP over TLS; default: the one above sip_port"
    )
    sip_tls_certificate: str = _setting(
        "",
        _file,
        "the path of a PEM file",
        "certificate shown over TLS, with its chain; default: one signed by itself, made here",
    )
    sip_tls_key: str = _setting(
        "", _file, "the path of a PEM file", "private key of that certificate; default: in the same file"
    )
    sip_tls_ca: str = _setting(
        "/etc/ssl/certs/ca-certificates.crt",
        _file,
        "the path of a PEM file",
        "authorities whose certificates are believed when we call a carrier over TLS",
    )
    rtp_start: int = _setting(10000, _port, "a port", "first UDP port for audio")
    rtp_end: int = _setting(20000, _port, "a port", "last UDP port for audio")
    sip_options_seconds: int = _setting(
        30, _whole, "whole seconds", "how often trunks and targets are asked whether they are alive; 0: never"
    )

    agi_host: str = _setting("127.0.0.1", _address, "an IP address", "address the FastAGI server listens on")
    agi_port: int = _setting(4573, _port, "a port", "port the FastAGI server listens on")
    agi_deadline_seconds: float = _setting(
        0.8, _seconds, "seconds", "after this long without an answer the call goes on by the rendered plan"
    )
    ami_host: str = _setting(
        "127.0.0.1", _address, "an IP address", "address of Asterisk's manager interface"
    )
    ami_port: int = _setting(5038, _port, "a port", "port of Asterisk's manager interface")
    ami_secret: str = _setting(
        "",
        str,
        "16 characters or more",
        "AMI password; default: made once, kept in the home folder",
        secret=True,
    )

    asterisk: str = _setting(
        "",
        str,
        "the path of a program",
        "Asterisk to run; default: found, installed or fetched by `make asterisk`",
    )
    asterisk_for: Path | None = _setting(
        None,
        Path,
        "a folder",
        "configuration folder of a phone system's own Asterisk that includes ours; default: none",
    )
    call_max_seconds: int = _setting(14400, _count, "whole seconds", "longest call; longer ones are cut")
    ring_seconds: int = _setting(
        25, _count, "whole seconds", "how long a target rings unless forwarding says otherwise"
    )
    judge_codes: tuple[str, ...] = _setting(
        ("*1", "*2", "*3", "*0"),
        _codes(4),
        "four codes of digits, * and #, separated by commas, none the beginning of another",
        "what an employee dials during a call: target, service, non-target, take it back",
    )
    recording_codes: tuple[str, ...] = _setting(
        ("*9", "*8", "*7"),
        _codes(3),
        "three codes of digits, * and #, separated by commas, none the beginning of another",
        "what an employee dials during a call: pause the recording, go on with it, never record this caller",
    )
    judge_ask_seconds: int = _setting(
        10,
        _whole,
        "whole seconds",
        "how long an employee may still say by a key what a call was worth after the caller hung up; 0: not",
    )
    quarantine_days: int = _setting(60, _count, "whole days", "how long a retired number is still answered")

    recordings: Path | None = _setting(
        None, Path, "a folder", "where recordings are kept; default: recordings in the home folder"
    )
    recording_copies: tuple[str, ...] = _setting(
        ("mp3",),
        _copies,
        "mp3, opus or both, separated by a comma",
        "compressed copies made of each recording",
    )
    ffmpeg: str = _setting("ffmpeg", str, "the path of a program", "ffmpeg, used to make the copies")

    alert_disk_mb: int = _setting(
        2048, _whole, "whole megabytes", "an alert begins when the recordings' disk has less left; 0: never"
    )

    smtp_host: str = _setting("", str, "a host name", "mail server that alerts go out by; none: no e-mail")
    smtp_port: int = _setting(587, _port, "a port", "port of the mail server")
    smtp_security: str = _setting(
        "starttls",
        _one_of("starttls", "ssl", "none"),
        "starttls, ssl or none",
        "how the way to it is secured",
    )
    smtp_user: str = _setting("", str, "a user name", "log-in at the mail server, where it wants one")
    smtp_password: str = _setting("", str, "a password", "password of that log-in", secret=True)
    smtp_from: str = _setting("", _mail_address, "an e-mail address", "sender of the e-mails")
    webhook_networks: tuple[str, ...] = _setting(
        (),
        _networks,
        "networks, separated by commas",
        "networks of one's own that webhooks may go to, plain http too; others: only https, only outside",
    )

    log_level: str = _setting(
        "info",
        _one_of("debug", "info", "warning", "error"),
        "debug, info, warning or error",
        "how much is logged",
    )
    log_format: str = _setting(
        "text", _one_of("text", "json"), "text or json", "a line of the logs: for people, or one JSON object"
    )
    api_per_minute: int = _setting(
        600,
        _whole,
        "a whole number; 0: no limit",
        "requests a minute of one program or person",
    )
    metrics_token: str = _setting(
        "",
        str,
        "16 characters or more",
        "who shows it reads /metrics, with the names of companies, pools and trunks; none: anybody, without",
        secret=True,
    )
    session_days: int = _setting(30, _count, "whole days", "a browser unused for this long is logged out")
    cookie_secure: bool = _setting(
        False,
        _yes_no,
        "yes or no",
        "send the log-in cookie over HTTPS only; on by itself when web_url is https",
    )

    @property
    def asterisk_folder(self) -> Path:
        """Rendered configuration, run-time files and hand-written additions of our Asterisk."""
        return self.home / "asterisk"

    @property
    def spool(self) -> Path:
        """Where the dialplan writes its lines and unfinished recordings."""
        return self.home / "spool"

    @property
    def sounds(self) -> Path:
        """What callers and employees hear, as Asterisk plays it."""
        return self.home / "sounds"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def recordings_folder(self) -> Path:
        return self.recordings or self.home / "recordings"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings of this machine, from its environment and `leaseline.toml`.

    Makes the home folder and the generated secrets on the first call. Raises SettingsError with every
    problem in one message.
    """
    problems: list[str] = []
    given = _given(environ, problems)
    values: dict[str, Any] = {}
    for each in fields(Settings):
        if (text := given.get(each.name)) is None:
            continue
        try:
            values[each.name] = each.metadata["read"](text)
        except (ValueError, KeyError):
            shown = "…" if each.metadata["secret"] else repr(text)
            problems.append(f"{each.name} is {shown}: give {each.metadata['accepts']}")
    if problems:
        raise SettingsError("; ".join(problems))
    return _completed(values, problems)


def sources(environ: Mapping[str, str]) -> dict[str, str]:
    """Where each setting that has a value of its own comes from; the others have their defaults."""
    home = Path(environ.get("LEASELINE_HOME", CHECKOUT / "var"))
    known = {each.name for each in fields(Settings)}
    found = dict.fromkeys(_from_file(home / "leaseline.toml", known, []), "leaseline.toml")
    found |= {name: "made here" for name in ("secret_key", "ami_secret") if name not in found}
    for name in known:
        for variable in (f"LEASELINE_{name.upper()}", f"LEASELINE_{name.upper()}_FILE"):
            if variable in environ:
                found[name] = variable
    return found


def _given(environ: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    known = {each.name for each in fields(Settings)}
    home = Path(environ.get("LEASELINE_HOME", CHECKOUT / "var"))
    given = _from_file(home / "leaseline.toml", known, problems)
    for key, text in environ.items():
        if not key.startswith("LEASELINE_") or key in {"LEASELINE_COMPANY", "LEASELINE_PRIVATE_ASTERISK"}:
            continue
        name = key.removeprefix("LEASELINE_").lower()
        if name.removesuffix("_file") in known and name.endswith("_file"):
            try:
                given[name.removesuffix("_file")] = Path(text).read_text().strip()
            except OSError as error:
                problems.append(f"{key} names {text}: {error.strerror}")
        elif name in known:
            given[name] = text
        elif not name.startswith(("test_", "bench_", "demo_")):
            problems.append(f"{key} is no setting: `leaseline config` lists them")
    return given


def _from_file(path: Path, known: set[str], problems: list[str]) -> dict[str, str]:
    try:
        table = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path} cannot be read: {error}")
        return {}
    problems.extend(
        f"{name} in {path} is no setting: `leaseline config` lists them" for name in table.keys() - known
    )
    return {name: _as_text(value) for name, value in table.items() if name in known}


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return str(value)


def _completed(values: dict[str, Any], problems: list[str]) -> Settings:
    plain = Settings(**values)
    home = plain.home.resolve()
    if plain.rtp_start >= plain.rtp_end:
        problems.append(f"rtp_start {plain.rtp_start} must be below rtp_end {plain.rtp_end}")
    if _ambiguous((*plain.judge_codes, *plain.recording_codes)):
        problems.append("judge_codes and recording_codes: none of them may be the beginning of another")
    if plain.smtp_host and not plain.smtp_from:
        problems.append("smtp_from is missing: give the sender of the e-mails that smtp_host sends")
    for name, shortest in (("secret_key", 32), ("ami_secret", 16), ("metrics_token", 16)):
        if 0 < len(getattr(plain, name)) < shortest:
            problems.append(f"{name} is too short: give {shortest} characters or more")
    if problems:
        raise SettingsError("; ".join(problems))
    values["home"] = home
    values["database_url"] = plain.database_url or f"sqlite:///{home / 'leaseline.db'}"
    values["sip_tls_port"] = plain.sip_tls_port or plain.sip_port + 1
    values["sip_tls_key"] = plain.sip_tls_key or plain.sip_tls_certificate
    values["web_url"] = plain.web_url or f"http://{plain.web_host}:{plain.web_port}"
    values["cookie_secure"] = plain.cookie_secure or plain.web_url.startswith("https:")
    values["secret_key"] = plain.secret_key or _kept_secret(home, "secret_key")
    values["ami_secret"] = plain.ami_secret or _kept_secret(home, "ami_secret")
    return Settings(**values)


def _kept_secret(home: Path, name: str) -> str:
    """A secret made once and kept, readable by its owner only."""
    path = home / "secrets" / name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = path.with_suffix(f".{secrets.token_hex(4)}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(32) + "\n")
        with contextlib.suppress(FileExistsError):  # a link, so that of two starters the first one wins
            path.hardlink_to(made)
        made.unlink()
    except OSError as error:
        raise SettingsError(f"home {home} cannot be written: {error.strerror}; set LEASELINE_HOME") from None
    return path.read_text().strip()
