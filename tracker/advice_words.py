"""Advice on a pool as JSON and in a sentence or two, the same on the command line and in the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tracker.advice import Advice, Basis


def described(advice: Advice) -> dict[str, Any]:
    """The advice as JSON."""
    thing = asdict(advice)
    if advice.basis is not None:
        thing["basis"] |= {
            "days": advice.basis.days,
            "enough": advice.basis.enough,
            "busiest": asdict(advice.basis.busiest),
        }
    return {**thing, "next_buys": advice.next_buys, "advice": sentence(advice)}


def sentence(advice: Advice) -> str:
    """The advice in one or two sentences, with a warning where it rests on too little."""
    aim = f"at most {percent(advice.target)} of the visitors without one"
    said = f"{numbers_in_words(advice.needed)} for {aim}"
    if advice.basis is not None and advice.needed_when_busiest > advice.needed:
        said += f", {advice.needed_when_busiest} if that is to hold in the busiest hour too"
    said += "."
    if advice.numbers is not None and advice.next_buys is not None:
        said += f" +1 number: {advice.next_buys:.1f} more visitors a day with a number of their own."
    basis = advice.basis
    if basis is not None and not basis.enough:
        said = (
            f"Too little to go by yet ({seen(basis)}; a week and 300 visits are the least):"
            f" as far as it goes, {said[0].lower()}{said[1:]}"
        )
    return said


def seen(basis: Basis) -> str:
    return f"{basis.visits} visit{'' if basis.visits == 1 else 's'} in {basis.days:.1f} days"


def percent(share: float) -> str:
    """Three figures where they matter: 99.2 %, 99.95 %, 0.1 %."""
    if 0.99995 < share < 1:
        return ">99.99 %"
    return f"{100 * share:.{2 if 0.99 < share < 1 else 1}f}".rstrip("0").rstrip(".") + " %"


def numbers_in_words(count: int) -> str:
    return f"{count} number{'' if count == 1 else 's'}"
