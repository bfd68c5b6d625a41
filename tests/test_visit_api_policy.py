"""Decided without a database: what a page may report, when a visit ends, how numbers are spelt, who waits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import tokens
from tracker.errors import Rejected
from tracker.policy import reported
from tracker.policy.swapping import looked_for, swaps_for, variants, written
from tracker.policy.visits import Consent, is_new_campaign, is_over, looked_until, may_remember
from tracker.tokens import Pass
from web.limits import Buckets, Limits, Rate, place_of

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECRET = "k" * 40
IDS = st.integers(1, 10**17)


# ---- tokens ----


@given(IDS, IDS, IDS)
def test_a_token_says_whom_it_speaks_for(visit: int, site: int, visitor: int) -> None:
    shown = Pass(visit, site, visitor)
    token = tokens.make(SECRET, shown)
    assert re.fullmatch(r"[A-Za-z0-9_.-]{36,80}", token)
    assert tokens.read(SECRET, token) == shown
    assert tokens.claimed_site(token) == site
    assert tokens.read("x" * 40, token) is None


@given(st.data())
def test_a_token_with_any_character_changed_is_worth_nothing(data: st.DataObject) -> None:
    token = tokens.make(SECRET, Pass(4711, 12, 99))
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("0123456789abcXYZ-_."))
    forged = token[:place] + letter + token[place + 1 :]
    assert (tokens.read(SECRET, forged) is None) == (forged != token)


@pytest.mark.parametrize(
    "text",
    ["", ".", "1.2.3", "1.2." + "A" * 32, "0.2." + "A" * 32, "1.2." + "A" * 33, "-1.2." + "A" * 32,
     "1.2." + "ü" * 32, "١.2." + "A" * 32, "1" * 30 + ".2." + "A" * 32, "1.2." + "A" * 32 + "\n",
     "x" * 10_000],
)  # fmt: skip
def test_what_is_no_token_is_none(text: str) -> None:
    assert tokens.read(SECRET, text) is None


# ---- what a page reports ----


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://shop.example/a?x=1&y=#top", "https://shop.example/a?x=1&y=#top"),
        ("https://ann:pw@shop.example/", "https://shop.example/"),
        ("/in?password=hunter2&next=/a", "/in?password=hidden&next=/a"),
        ("/in?PassWord=x&reset_token=y&token=", "/in?PassWord=hidden&reset_token=hidden&token="),
        ("/in?access%5Ftoken=y", "/in?access%5Ftoken=hidden"),
        ("/in?email=ann@example.com&utm_source=mail", "/in?email=hidden&utm_source=mail"),
        ("/in?q=ann%40example.com", "/in?q=hidden"),
        ("/u/ann@example.com/edit", "/u/hidden/edit"),
        ("/#access_token=abc&state=1", "/#access_token=hidden&state=1"),
        ("/#/reset?token=abc", "/#/reset?token=hidden"),
        ("/?_ll=visitor-key&gclid=abc", "/?_ll=hidden&gclid=abc"),
        ("/?utm_campaign=tokens&keyword=pass", "/?utm_campaign=tokens&keyword=pass"),
        ("javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_an_address_is_kept_without_its_secrets(url: str, kept: str) -> None:
    assert reported.without_secrets(url) == kept


@given(st.text(max_size=3000))
def test_no_text_breaks_an_address_or_makes_it_longer_than_its_bound(text: str) -> None:
    assert len(reported.without_secrets(text)) <= reported.LONGEST_URL


@given(st.text(), st.text())
def test_a_reported_page_can_be_stored_whatever_it_says(url: str, title: str) -> None:
    page = reported.read_page({"url": "/" + url * 50, "title": title * 50})
    assert len(page.url) <= 2048
    assert len(page.title or "") <= 300
    assert "\0" not in page.url + (page.title or "")
    (page.url + (page.title or "")).encode()


@pytest.mark.parametrize(
    "body",
    [
        {}, {"url": ""}, {"url": 5}, {"url": "/", "title": ["x"]}, {"url": "/", "automated": "yes"},
        {"url": "/", "consent": "all"}, {"url": "/", "consent": ["storage"]},
        {"url": "/", "visitor": {}}, {"url": None},
    ],
)  # fmt: skip
def test_a_malformed_opening_is_refused_with_a_reason(body: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as refusal:
        reported.read_opening(body)
    assert refusal.value.id == "visit.malformed"
    assert refusal.value.fix


def test_consent_is_read_as_browsers_say_it() -> None:
    said = {"storage": "granted", "ads": "denied", "analytics": 5}
    assert reported.read_opening({"url": "/", "consent": said}).consent == Consent(True, False, None)
    said = {"storage": False, "ads": True}
    assert reported.read_opening({"url": "/", "consent": said}).consent == Consent(False, True, None)


def test_identifiers_that_do_not_fit_are_left_out() -> None:
    ids = {"_ga": "GA1.1.5", "long": "x" * 201, "number": 5, "": "x", "_ll": "ours", "_fbp": "fb.1"}
    opening = reported.read_opening({"url": "/", "ids": ids})
    assert opening.ids == {"_ga": "GA1.1.5", "_fbp": "fb.1"}
    many = {f"id{index}": "x" for index in range(100)}
    assert len(reported.read_opening({"url": "/", "ids": many}).ids) == 20


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "purchase"}, {"kind": ["form"]}, {"kind": "form", "detail": {"a": 1}},
        {"kind": "form", "detail": ["a"]}, {"kind": "custom", "detail": {str(it): "" for it in range(11)}},
        {"kind": "custom", "detail": {"a": "x" * 1024}}, {"kind": "custom", "detail": {"a": "ü" * 512}},
    ],
)  # fmt: skip
def test_an_event_that_is_too_much_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match="Give"):
        reported.read_happening(body)


# ---- when a visit ends ----


@dataclass(frozen=True)
class Touched:
    medium: str = "cpc"
    source: str = "google"
    campaign: str | None = "spring"
    keyword: str | None = None
    content: str | None = None
    click_ids: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("silent_minutes", "over"), [(0, False), (29.99, False), (30, True), (600, True), (-5, False)]
)
def test_half_an_hour_of_silence_ends_a_visit(silent_minutes: float, over: bool) -> None:
    assert is_over(NOON, NOON + timedelta(minutes=silent_minutes)) is over


@pytest.mark.parametrize(
    ("opened", "running", "new"),
    [
        (Touched(), Touched(medium="organic", campaign=None), False),  # nothing in the address
        (Touched(click_ids={"gclid": "a"}), Touched(click_ids={"gclid": "a"}), False),  # reloaded
        (Touched(click_ids={"gclid": "b"}), Touched(click_ids={"gclid": "a"}), True),
        (Touched(parameters={"utm_source": "x"}), Touched(parameters={"utm_source": "x"}), False),
        (Touched(campaign="autumn", parameters={"utm_campaign": "autumn"}), Touched(), True),
        (
            Touched(keyword="pallets", parameters={"keyword": "pallets"}),
            Touched(),
            False,
        ),  # a search engine's
    ],
)
def test_another_advertisement_begins_another_visit(opened: Touched, running: Touched, new: bool) -> None:
    assert is_new_campaign(opened, running) is new


@pytest.mark.parametrize(
    ("storage", "needs_consent", "may"),
    [
        (None, False, True),
        (None, True, False),
        (True, True, True),
        (False, False, False),
        (False, True, False),
    ],
)
def test_nobody_is_remembered_against_his_word(storage: bool | None, needs_consent: bool, may: bool) -> None:
    assert may_remember(Consent(storage), needs_consent=needs_consent) is may


def test_a_page_is_looked_at_while_signs_of_life_come() -> None:
    minute = timedelta(minutes=1)
    assert looked_until(NOON, NOON + minute) == NOON + minute
    assert looked_until(NOON, NOON + 10 * minute) == NOON  # was hidden, or asleep
    assert looked_until(NOON, NOON - minute) == NOON  # a clock that was set back


# ---- spellings ----


@pytest.mark.parametrize(
    ("e164", "digits"),
    [
        ("+74957654321", ("74957654321", "84957654321", "4957654321")),
        ("+442079460101", ("442079460101", "02079460101", "2079460101")),
        ("+14155550100", ("14155550100", "14155550100", "4155550100")),
        ("+390612345678", ("390612345678", "0612345678")),  # Italy keeps its 0 and has no trunk prefix
        ("+3612345678", ("3612345678", "0612345678", "12345678")),  # Hungary: 06
        ("+999123", ("999123",)),
    ],
)
def test_the_spellings_of_a_number_come_in_one_order(e164: str, digits: tuple[str, ...]) -> None:
    assert variants(e164) == digits


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
def test_every_spelling_is_read_back_by_its_country(region: str) -> None:
    number = phonenumbers.example_number(region)
    assert number is not None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    international, *national = variants(e164)
    assert "+" + international == e164
    assert len(national) in {1, 2}
    assert all(each.endswith(national[-1]) for each in (international, *national))


def test_a_number_is_shown_national_at_home_and_international_abroad() -> None:
    assert written("+74951230001", "RU").display == "8 (495) 123-00-01"
    assert written("+74951230001", "DE").display == "+7 495 123-00-01"
    assert written("+74951230001", "DE").international == "+7 495 123-00-01"


@dataclass(frozen=True)
class Stood:
    e164: str
    region: str = ""
    alias: str | None = None


def test_a_visitor_gets_the_swap_of_his_country_else_that_of_all_others() -> None:
    everywhere, german, french = Stood("+1"), Stood("+1", "DE"), Stood("+2", "FR")
    swaps = [everywhere, german, french]
    assert swaps_for(swaps, "DE") == [german]
    assert swaps_for(swaps, "FR") == [everywhere, french]
    assert swaps_for(swaps, None) == [everywhere]
    assert swaps_for([german, everywhere], "DE") == swaps_for(swaps, "DE")


def test_the_script_looks_for_each_number_once() -> None:
    found = looked_for([Stood("+74957654321"), Stood("+74957654321", "DE", "8-800-SHOP"), Stood("+999123")])
    assert found == [
        {"e": "+74957654321", "v": ["74957654321", "84957654321", "4957654321"], "a": "8-800-SHOP"},
        {"e": "+999123", "v": ["999123"]},
    ]


# ---- rate limits ----


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    buckets = Buckets(Rate(3, 0.5), clock)
    assert [buckets.take("a") for _ in range(5)] == [0, 0, 0, 2, 2]
    clock.now += 1
    assert buckets.take("a") == 1
    clock.now += 1
    assert [buckets.take("a"), buckets.take("a")] == [0, 2]
    clock.now += 1000
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 2]
    assert buckets.take("b") == 0


@given(st.lists(st.floats(0, 10), max_size=60))
def test_a_bucket_never_gives_more_than_its_burst_and_rate(pauses: list[float]) -> None:
    clock = Clock()
    buckets = Buckets(Rate(5, 1), clock)
    given_ = 0
    for pause in pauses:
        clock.now += pause
        given_ += buckets.take("a") == 0
    assert given_ <= 5 + clock.now + 1e-6


def test_buckets_take_no_more_memory_than_agreed() -> None:
    buckets = Buckets(Rate(1, 1), Clock(), most=100)
    for key in range(1000):
        buckets.take(key)
    assert len(buckets) == 100
    assert buckets.take(999) > 0  # who asked last is remembered


@pytest.mark.parametrize(
    ("address", "own", "network"),
    [
        ("203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("unknown", "unknown", "unknown"),
    ],
)
def test_a_place_is_an_address_and_the_network_around_it(address: str, own: str, network: str) -> None:
    place = place_of(address)
    assert (place.address, place.network) == (own, network)


def test_one_address_is_stopped_before_it_uses_up_its_network() -> None:
    limits = Limits(Clock())
    flood = place_of("203.0.113.7")
    assert sum(limits.opens(flood, 1) for _ in range(1000)) == 60
    neighbour = place_of("203.0.113.8")
    assert limits.opens(neighbour, 1)
    assert sum(limits.believes(flood) for _ in range(1000)) == 6
    assert limits.believes(neighbour)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.2.1", "::1"])
def test_only_the_sites_bound_holds_for_what_comes_from_this_machine(address: str) -> None:
    limits, here = Limits(Clock()), place_of(address)
    assert all(limits.believes(here) for _ in range(100))
    assert sum(limits.opens(here, 1) for _ in range(4000)) == 3000


def test_an_office_behind_one_address_is_let_in() -> None:
    clock = Clock()
    limits, office = Limits(clock), place_of("203.0.113.7")
    for _minute in range(60):  # forty people look at the site within an hour, all at once at first
        clock.now += 60
        assert limits.opens(office, 1)
        assert all(limits.speaks(office, 1) == 0 for _ in range(200))  # and 200 are there, one ping a minute
