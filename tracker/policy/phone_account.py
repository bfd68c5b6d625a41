"""What a phone needs to register with us, as people type it and as phones read it."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class PhoneAccount:
    """`encrypts`: its sound may be encrypted. `is_known`: our certificate comes from an authority."""

    name: str
    host: str
    port: int  # for SIP over UDP and TCP
    tls_port: int
    username: str
    password: str
    encrypts: bool
    is_known: bool


def linphone_xml(account: PhoneAccount) -> str:
    """The account as Linphone fetches it (its remote provisioning: the sections of linphonerc as XML)."""
    host = f"[{account.host}]" if ":" in account.host else account.host
    sections = {
        "sip": {
            "default_proxy": "0",
            "media_encryption": "srtp" if account.encrypts else "none",
            "verify_server_certs": "1" if account.is_known else "0",
        },
        "proxy_0": {
            "reg_identity": f"<sip:{account.username}@{host}>",
            "reg_proxy": f"<sip:{host}:{account.tls_port};transport=tls>",
            "reg_sendregister": "1",
            "reg_expires": "600",
        },
        "auth_info_0": {"username": account.username, "passwd": account.password},
    }
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">',
    ]
    for section, entries in sections.items():
        lines.append(f'  <section name="{section}">')
        lines += [
            f'    <entry name="{name}" overwrite="true">{escape(text)}</entry>'
            for name, text in entries.items()
        ]
        lines.append("  </section>")
    return "\n".join([*lines, "</config>", ""])


def account_line(account: PhoneAccount) -> str:
    """The account as baresip keeps it, on one line of its file `accounts`."""
    host = f"[{account.host}]" if ":" in account.host else account.host
    sound = ";mediaenc=srtp" if account.encrypts else ""
    address = f"<sip:{account.username}@{host}:{account.tls_port};transport=tls>"
    return f"{address};auth_user={account.username};auth_pass={account.password}{sound};regint=600"
