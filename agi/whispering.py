"""Which whisper an employee hears: the fullest that is spoken already, or is within a moment.

Speaking happens in threads of its own, a few at once; one that comes too late is there for the next call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tracker import sounds
from tracker.errors import Rejected
from tracker.policy.prompts import Words
from tracker.settings import Settings

log = logging.getLogger("leaseline.agi")

_THREADS = 2


class Whispering:
    """`choose` gives the name of a sound in the folder of those for a few calls, "" for none."""

    def __init__(self, settings: Settings, *, seconds: float = 0.2) -> None:
        self._settings = settings
        self._seconds = seconds
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="speak")
        self._speaking: set[Words] = set()

    async def choose(self, whispers: Sequence[Words]) -> str:
        """The first of them that can be heard now."""
        if not whispers:
            return ""
        if not sounds.is_here(self._settings, whispers[0]):
            await self._speak(whispers[0])
        here = (words for words in whispers if sounds.is_here(self._settings, words))
        found = next(here, None)
        if found is None:
            return ""
        sounds.used(self._settings, found)
        return found.digest

    async def _speak(self, words: Words) -> None:
        if len(self._speaking) >= _THREADS or words in self._speaking:
            return
        self._speaking.add(words)
        job = asyncio.get_running_loop().run_in_executor(self._executor, self._make, words)
        job.add_done_callback(lambda _: self._speaking.discard(words))
        await asyncio.wait({job}, timeout=self._seconds)

    def _make(self, words: Words) -> None:
        try:
            sounds.sound_for(self._settings, words)
        except (Rejected, OSError) as problem:
            log.warning("a whisper cannot be spoken: %s", problem)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
