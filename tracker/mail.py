"""An e-mail by the SMTP server of the settings; each message has an id of its own, the same at each try."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage

from tracker.outside import cut_after
from tracker.policy.telling import Answer
from tracker.settings import Settings

SECONDS = 15.0
WHOLE = 5  # times that, for all of it
PERMANENT = 500  # from here on SMTP's codes say: never


@dataclass(frozen=True)
class Attached:
    """A file that goes with a message; `kind` is its media type."""

    name: str
    kind: str
    content: bytes


def compose(settings: Settings, to: str, key: str, subject: str, text: str) -> EmailMessage:
    """The message, plain text, marked as written by a program (RFC 3834)."""
    message = EmailMessage()
    message["From"] = settings.smtp_from
    message["To"] = to
    message["Subject"] = " ".join(subject.split())
    message["Message-ID"] = f"<{key}@{settings.smtp_from.rpartition('@')[2] or 'leaseline'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def enrich(message: EmailMessage, html: str, *files: Attached) -> EmailMessage:
    """The message with the same as HTML, and with files."""
    message.add_alternative(html, subtype="html")
    for file in files:
        kind, _, subkind = file.kind.partition("/")
        message.add_attachment(file.content, maintype=kind, subtype=subkind, filename=file.name)
    return message


def send(settings: Settings, message: EmailMessage, seconds: float = SECONDS) -> Answer:
    """Hand it to the server, which has so long for each answer; never raises for what the server does."""
    if not settings.smtp_host:
        return Answer(False, "No mail server is set: LEASELINE_SMTP_HOST, LEASELINE_SMTP_FROM")
    try:
        server = _server(settings, seconds)
        with cut_after(lambda: server.sock, WHOLE * seconds):
            if settings.smtp_security == "starttls":
                _encrypt(server)
            with server:
                if settings.smtp_user:
                    server.login(settings.smtp_user, settings.smtp_password)
                others = server.send_message(message)
    except smtplib.SMTPRecipientsRefused as refused:
        code, text = next(iter(refused.recipients.values()))
        return Answer(False, _said(code, text), final=code >= PERMANENT)
    except smtplib.SMTPResponseException as refused:
        return Answer(False, _said(refused.smtp_code, refused.smtp_error))
    except (OSError, smtplib.SMTPException) as trouble:
        late = any(isinstance(each, TimeoutError) for each in (trouble, trouble.__context__))
        said = f"No answer from {settings.smtp_host} within {seconds:g} s"
        return Answer(False, said if late else f"{settings.smtp_host}: {trouble}")
    refused_for = "".join(f"; not for {to}: {_said(*why)}" for to, why in others.items())
    return Answer(True, f"accepted by {settings.smtp_host}{refused_for}")


def _server(settings: Settings, seconds: float) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_security == "ssl":
        return smtplib.SMTP_SSL(host, port, timeout=seconds, context=ssl.create_default_context())
    return smtplib.SMTP(host, port, timeout=seconds)


def _encrypt(server: smtplib.SMTP) -> None:
    try:
        server.starttls(context=ssl.create_default_context())
    except BaseException:
        server.close()
        raise


def _said(code: int, text: bytes | str) -> str:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}"
