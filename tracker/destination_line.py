"""The line to one destination: what a kind is handed to ask the other system by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tracker import mail, outside
from tracker.destination_safe import Safe
from tracker.destinations.kind import ShutOut
from tracker.policy.telling import Answer
from tracker.policy.tongue import Tongue
from tracker.settings import Settings
from tracker.telling import Translate, in_english


@dataclass(frozen=True)
class Way:
    """See tracker.destinations.Line."""

    options: Mapping[str, str]
    secrets: dict[str, str]
    settings: Settings
    clock: Callable[[], datetime]
    translator: Callable[[str], Translate] = in_english
    seconds: float = outside.SECONDS
    safe: Safe | None = None  # where secrets that are renewed are kept; None: nowhere

    @property
    def now(self) -> datetime:
        return self.clock()

    def ask(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> outside.Reply:
        networks = self.settings.webhook_networks
        return outside.ask(method, url, body, headers or {}, allowed=networks, seconds=self.seconds)

    def mail(self, to: str, key: str, subject: str, text: str) -> Answer:
        return mail.send(self.settings, mail.compose(self.settings, to, key, subject, text), self.seconds)

    def tongue(self, language: str) -> Tongue:
        return Tongue(self.translator(language), language)

    def renew(self, fetch: Callable[[], Mapping[str, str]]) -> None:
        if self.safe is None:
            self.secrets.update(fetch())
            return
        if (newest := self.safe.begin(self.secrets)) is not None:
            self.secrets.clear()
            self.secrets.update(newest)
            return
        try:
            fresh = fetch()
        except BaseException as trouble:
            self.safe.let_go(trouble.answer.text if isinstance(trouble, ShutOut) else None)
            raise
        self.safe.keep(fresh)
        self.secrets.update(fresh)
