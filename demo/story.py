"""Who calls in the demo, what happens to each call, and what should be in the books afterwards.

All telephone numbers are ones that Ofcom keeps free for drama: they belong to nobody.
https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from demo import visitors
from demo.speech import Line
from tracker.calls import Source
from tracker.policy.facts import HungUpBy, Outcome

REGION, TIMEZONE = "GB", "Europe/London"
RING_SECONDS = 8

BILLBOARD = "+442079460101"
LEAFLET = "+442079460102"
MAPS = "+442079460108"  # rings by a plan
WEBSITE = tuple(f"+44207946010{digit}" for digit in range(3, 8))  # the pool: one number a visitor
OWN = "+442079460100"  # the company's own, as it stands on the website; the sixth visitor sees it
NOBODYS = "+442079460999"  # never added


@dataclass(frozen=True)
class Talks:
    """Somebody answers after some seconds of ringing; at the end of the lines one side hangs up."""

    rings_seconds: float
    lines: tuple[Line, ...]
    hangs_up: HungUpBy = HungUpBy.CALLER


@dataclass(frozen=True)
class NobodyAnswers:
    """It rings until Asterisk gives up."""


@dataclass(frozen=True)
class Busy:
    """The main line says busy after a moment."""

    after_seconds: float


@dataclass(frozen=True)
class GivesUp:
    """The caller hangs up while it rings."""

    after_seconds: float


@dataclass(frozen=True)
class TurnedAway:
    """The number dialled is nobody's: no call, a line in the list of refusals."""


@dataclass(frozen=True)
class Presses:
    """The plan's menu speaks; the caller presses a key while it does, and talks with the sales desk."""

    key: str
    after_seconds: float
    talk: Talks


@dataclass(frozen=True)
class LeavesMessage:
    """The plan asks for a message; the caller listens so long, speaks, and hangs up."""

    after_seconds: float
    line: Line


@dataclass(frozen=True)
class CalledBack:
    """The sales desk calls over Leaseline's carrier, and is answered."""

    talk: Talks


@dataclass(frozen=True)
class AskedToBeCalled:
    """A click on the website: Leaseline rings the sales desk, then the visitor."""

    talk: Talks


Unanswered = NobodyAnswers | Busy | GivesUp | TurnedAway | LeavesMessage
Course = Talks | Unanswered | Presses | CalledBack | AskedToBeCalled


@dataclass(frozen=True)
class Expected:
    """What the books should say. `outcome` is None for a call that was turned away."""

    outcome: Outcome | None
    source: Source | None
    hung_up_by: HungUpBy | None
    repeat: bool = False

    @property
    def turned_away(self) -> bool:
        return self.outcome is None


ON_BILLBOARD = Source("offline", "Billboard", "spring", None, "Billboard")
ON_LEAFLET = Source("offline", "Leaflet", None, None, "Leaflet")
ON_MAPS = Source("maps", "google", None, None, "Google Maps")


@dataclass(frozen=True)
class Scene:
    """One call. `number` is the caller's own, None for one who withholds it."""

    who: str
    number: str | None
    dials: str
    begins: str
    course: Course
    ends: str
    expected: Expected
    starts_seconds: float = 0.0

    @property
    def reaches_main_line(self) -> bool:
        return isinstance(self.course, (Talks, NobodyAnswers, Busy, GivesUp))

    @property
    def reaches_sales(self) -> bool:
        return isinstance(self.course, (Presses, AskedToBeCalled))

    @property
    def goes_out(self) -> bool:
        """Whether the person is called, over the carrier."""
        return isinstance(self.course, (CalledBack, AskedToBeCalled))

    @property
    def talk(self) -> Talks | None:
        """What is spoken with the company, if anything is."""
        match self.course:
            case Talks() as talk:
                return talk
            case Presses(talk=talk) | CalledBack(talk=talk) | AskedToBeCalled(talk=talk):
                return talk
            case _:
                return None


_RECEPTION, _SALES = "en+f3", "en-gb-scotland+m2"
_ANN, _BEN, _CLARA, _GINA, _SHY = "en-us+linda", "en-us+m3", "en+f2", "en-gb+f4", "en+m4"
_LENA, _NORA, _EMMA, _HUGO = "en-gb+f2", "en-us+f4", "en-gb+f5", "en-gb+m1"


def _talk(company: str, caller: str, *texts: str) -> tuple[Line, ...]:
    """Lines in turn; the company speaks first."""
    return tuple(
        Line(from_caller=bool(index % 2), voice=caller if index % 2 else company, text=text)
        for index, text in enumerate(texts)
    )


ANN = Scene(
    who="Ann",
    number="+441614960111",
    dials=BILLBOARD,
    begins="Ann has seen the billboard and calls",
    course=Talks(
        2.0,
        _talk(
            _RECEPTION, _ANN,
            "Pallets, good morning. How can I help you?",
            "Hello! I saw your billboard on the motorway. How much is a euro pallet?",
            "Eleven pounds. From fifty on, delivery is free.",
            "Then a hundred, please!",
            "With pleasure.",
        ),
    ),
    ends="Ann has ordered and hangs up",
    expected=Expected(Outcome.ANSWERED, ON_BILLBOARD, HungUpBy.CALLER),
)  # fmt: skip

BEN = Scene(
    who="Ben",
    number="+441134960122",
    dials=WEBSITE[0],  # until it is known what he sees: `acts`
    begins="Ben calls the number that stands on his screen,",
    course=Talks(
        1.5,
        _talk(
            _SALES, _BEN,
            "Pallets, sales department, good morning.",
            "Hi. Do you buy used pallets, too?",
            "We do. Three pounds each, and we collect.",
            "Great. I will send the address. Thank you!",
        ),
    ),
    ends="Ben hangs up",
    expected=Expected(Outcome.ANSWERED, visitors.BEN.source, HungUpBy.CALLER),
    starts_seconds=0.8,
)  # fmt: skip

GINA = Scene(
    who="Gina",
    number="+447700900177",
    dials=WEBSITE[0],
    begins="Gina taps the number on her telephone, which calls",
    course=Talks(
        1.2,
        _talk(
            _RECEPTION, _GINA,
            "Pallets, good morning.",
            "Hello! Your advert says that you buy used pallets. I have eighty.",
            "We take them all. Where may we collect them?",
            "In Leeds. I will wait for your lorry.",
        ),
    ),
    ends="Gina hangs up",
    expected=Expected(Outcome.ANSWERED, visitors.GINA.source, HungUpBy.CALLER),
    starts_seconds=0.4,
)  # fmt: skip

CLARA = Scene(
    who="Clara",
    number="+441214960133",
    dials=LEAFLET,
    begins="Clara has the leaflet in her hand and calls",
    course=NobodyAnswers(),
    ends="Clara's call has rung for 8 seconds: nobody picked up",
    expected=Expected(Outcome.MISSED, ON_LEAFLET, HungUpBy.SYSTEM),
    starts_seconds=1.6,
)

DAVID = Scene(
    who="David",
    number="+441314960144",
    dials=BILLBOARD,
    begins="David has seen the billboard, too, and calls",
    course=Busy(1.0),
    ends="David hears that the line is busy",
    expected=Expected(Outcome.BUSY, ON_BILLBOARD, HungUpBy.SYSTEM),
    starts_seconds=2.4,
)

EMMA = Scene(
    who="Emma",
    number="+441174960155",
    dials=LEAFLET,
    begins="Emma has a leaflet, little time, and calls",
    course=GivesUp(4.0),
    ends="Emma has heard it ring for 4 seconds and gives up",
    expected=Expected(Outcome.GAVE_UP, ON_LEAFLET, HungUpBy.CALLER),
    starts_seconds=3.2,
)

SHY = Scene(
    who="Somebody",
    number=None,
    dials=BILLBOARD,
    begins="Somebody who withholds their own number calls",
    course=Talks(
        1.0,
        _talk(
            _RECEPTION, _SHY,
            "Pallets, good morning.",
            "Oh, sorry. I wanted the pizza service.",
            "No problem. Goodbye!",
        ),
        hangs_up=HungUpBy.COMPANY,
    ),
    ends="The company says goodbye to the withheld number",
    expected=Expected(Outcome.ANSWERED, ON_BILLBOARD, HungUpBy.COMPANY),
    starts_seconds=4.0,
)  # fmt: skip

FRANK = Scene(
    who="Frank",
    number="+441514960166",
    dials=NOBODYS,
    begins="Frank mistypes the number and calls",
    course=TurnedAway(),
    ends="Frank hears that there is no such number",
    expected=Expected(None, None, None),
    starts_seconds=4.8,
)

CLARA_AGAIN = Scene(
    who="Clara",
    number=CLARA.number,
    dials=LEAFLET,
    begins="Clara, whom nobody answered, calls again:",
    course=Talks(
        1.0,
        _talk(
            _SALES, _CLARA,
            "Pallets, sales department. Sorry, we were loading a lorry.",
            "Hello! Do you repair pallets, as the leaflet says?",
            "Within a day. Bring them any morning.",
        ),
    ),
    ends="Clara hangs up",
    expected=Expected(Outcome.ANSWERED, ON_LEAFLET, HungUpBy.CALLER, repeat=True),
)  # fmt: skip

LENA = Scene(
    who="Lena",
    number="+441632960188",
    dials=MAPS,
    begins="Lena has found the company on a map and calls",
    course=Presses(
        "1",
        1.5,
        Talks(
            1.0,
            _talk(
                _SALES, _LENA,
                "Pallets, sales department.",
                "Hello, I pressed one. Two hundred euro pallets, please.",
                "They are with you tomorrow.",
            ),
        ),
    ),
    ends="Lena, whom the menu sent to the sales desk, hangs up",
    expected=Expected(Outcome.ANSWERED, ON_MAPS, HungUpBy.CALLER),
    starts_seconds=5.6,
)  # fmt: skip

NORA = Scene(
    who="Nora",
    number="+441632960199",
    dials=MAPS,
    begins="It is evening when Nora calls",
    course=LeavesMessage(4.0, Line(True, _NORA, "Nora Hill, please call me back about forty used pallets.")),
    ends="Nora has left a message: the plan knows that nobody is there",
    expected=Expected(Outcome.MISSED, ON_MAPS, HungUpBy.CALLER),
)

EMMA_CALLED_BACK = Scene(
    who="Emma",
    number=EMMA.number,
    dials=OWN,
    begins="The sales desk calls Emma back, who gave up, and shows",
    course=CalledBack(
        Talks(
            1.0,
            _talk(
                _SALES, _EMMA,
                "Pallets, sales department. You called us a minute ago.",
                "How kind! Do you deliver to Bristol?",
                "Every Tuesday.",
            ),
        )
    ),
    ends="Emma hangs up",
    expected=Expected(Outcome.ANSWERED, None, HungUpBy.CALLER, repeat=True),
    starts_seconds=1.0,
)  # fmt: skip

HUGO_ASKS = Scene(
    who="Hugo",
    number="+441414960177",
    dials=OWN,
    begins="Hugo types his number on the website and clicks Call me; he will see",
    course=AskedToBeCalled(
        Talks(
            1.0,
            _talk(
                _SALES, _HUGO,
                "Pallets, sales department. You wanted to be called.",
                "That was quick! What do sixty pallets cost?",
                "Six hundred pounds, delivered.",
            ),
        )
    ),
    ends="Hugo hangs up",
    expected=Expected(Outcome.ANSWERED, visitors.HUGO.source, HungUpBy.CALLER),
)  # fmt: skip

# The calls of an act overlap; Clara's second one, and Emma's, need the first to be over.
ACTS: tuple[tuple[Scene, ...], ...] = (
    (ANN, BEN, GINA, CLARA, DAVID, EMMA, SHY, FRANK, LENA),
    (CLARA_AGAIN, HUGO_ASKS, EMMA_CALLED_BACK, NORA),
)
CLOCKS = ("2026-12-01 10:00", "2026-12-01 20:00")  # what plans take the time of each act for


def acts(seen: Mapping[str, str]) -> tuple[tuple[Scene, ...], ...]:
    """The play, in which visitors of the website dial the number they saw there (E.164 by name)."""
    return tuple(
        tuple(each if each.goes_out else replace(each, dials=seen.get(each.who, each.dials)) for each in act)
        for act in ACTS
    )


ENCORE = replace(ANN, begins="Ann calls the billboard's number again,", starts_seconds=0.0)
