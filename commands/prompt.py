"""`leaseline prompt`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.printing import print_rows, print_thing

if TYPE_CHECKING:
    from tracker.prompts import Ready


@click.group("prompt")
def prompt_group() -> None:
    """Prompts: what callers hear, as words that are spoken or as a sound file.

    \b
    Examples:
      leaseline prompt add greeting --words "This call is recorded." --language en
      leaseline prompt add welcome --file welcome.mp3
    """


@prompt_group.command("add")
@click.argument("name")
@click.option("--words", help="What is to be said.")
@click.option("--language", help="Of the words: en, ru, uk, pl, de, …; default: the company's.")
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A sound file: WAV, MP3, Ogg, FLAC, M4A.")  # fmt: skip
@company_option
@json_option
def add(name: str, company: str | None, as_json: bool, **given: Any) -> None:
    """Add a prompt: exactly one of --words and --file.

    Words are spoken by flite (English) or espeak-ng; a file is converted for the telephone network.

    \b
    Example:
      leaseline prompt add consent --language ru --words "Разговор записывается. Нажмите 9, если вы против."
    """
    from tracker import prompts

    with reading(company) as (_session, owner):
        ready = _ready(owner.language, **given)
    with changing(company) as (session, owner, by):
        thing = prompts.describe(prompts.add(session, by, owner, name, ready))
    print_thing(thing, as_json=as_json)


def _ready(spoken: str, words: str | None, language: str | None, path: Path | None) -> Ready:
    from tracker import prompts

    settings = here().settings
    if path is not None and words is None:
        return prompts.ready_file(settings, path.read_bytes())
    if words is not None and path is None:
        return prompts.ready_words(settings, language or spoken, words)
    raise click.UsageError("Give one of --words and --file")


@prompt_group.command("list")
@company_option
@json_option
def list_command(company: str | None, as_json: bool) -> None:
    """List prompts.

    \b
    Example:
      leaseline prompt list
    """
    from tracker import prompts

    with reading(company) as (session, owner):
        rows = [prompts.describe(prompt) for prompt in prompts.of_company(session, owner)]
    columns = ("name", "language", "words", "seconds")
    print_rows(rows, columns, as_json=as_json, empty="No prompt yet: `leaseline prompt add`")


@prompt_group.command("play")
@click.argument("name")
@company_option
def play(name: str, company: str | None) -> None:
    """Write a prompt's sound to standard output as WAV, as callers hear it.

    \b
    Examples:
      leaseline prompt play greeting > greeting.wav
      leaseline prompt play greeting | aplay
    """
    from tracker import prompts, sounds

    settings = here().settings
    with reading(company) as (session, owner):
        prompt = prompts.get(session, owner, name)
        prompts.make(settings, prompt)
        sound = sounds.wav_of(settings, prompts.spoken(prompt)).read_bytes()
    if sys.stdout.isatty():
        raise click.UsageError("Send the sound somewhere: > FILE.wav, or | aplay")
    sys.stdout.buffer.write(sound)


@prompt_group.command("remove")
@click.argument("name")
@company_option
def remove(name: str, company: str | None) -> None:
    """Remove a prompt that nothing plays.

    \b
    Example:
      leaseline prompt remove greeting
    """
    from tracker import prompts

    with changing(company) as (session, owner, by):
        prompts.remove(session, by, prompts.get(session, owner, name))
    click.echo(f"Prompt {name} is removed.")
