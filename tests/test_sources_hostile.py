"""Addresses from strangers: nothing fails on them, and everything that comes out can be stored."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracker.errors import Rejected
from tracker.policy.addresses import LONGEST_ADDRESS, clean, read_address
from tracker.policy.channel_groups import ChannelGroup
from tracker.policy.click_ids import CLICK_IDS, read_openstat
from tracker.policy.patterns import compiled, read_pattern
from tracker.policy.sources import UTM, Origin, Part, Rule, classify

NAMES = st.sampled_from([*UTM, *(each.name for each in CLICK_IDS), "keyword", "q", "text", "x"])
PAIRS = st.lists(st.tuples(NAMES, st.text(max_size=600)), max_size=8)
HOSTS = st.sampled_from(
    ["www.google.de", "yandex.ru", "t.me", "shop.example", "[::1]", "xn--a", "x" * 300, "a..b", ""]
)
SCHEMES = st.sampled_from(["https://", "http://", "android-app://", "javascript:", "//", ""])
ADDRESSES = st.one_of(
    st.none(),
    st.text(max_size=300),
    st.builds(
        lambda scheme, host, path, pairs: (
            f"{scheme}{host}{path}?" + "&".join("=".join(pair) for pair in pairs)
        ),
        SCHEMES,
        HOSTS,
        st.text(max_size=50),
        PAIRS,
    ),
)


def assert_storable(origin: Origin) -> None:
    assert 1 <= len(origin.medium) <= 100
    assert 1 <= len(origin.source) <= 200
    assert all(
        text is None or 1 <= len(text) <= 200 for text in (origin.campaign, origin.keyword, origin.content)
    )
    assert origin.group in set(ChannelGroup)
    assert origin.suspicion is None or len(origin.suspicion) <= 100
    texts = [origin.medium, origin.source, origin.campaign, origin.keyword, origin.content]
    for name, value in (origin.click_ids | origin.parameters).items():
        assert len(value) <= 512
        texts += [name, value]
    for text in texts:
        (text or "").encode("utf-8")  # no half of a surrogate pair
        assert "\x00" not in (text or "")


@given(ADDRESSES, ADDRESSES)
@example("https://shop.example/?utm_source=%00%ED%A0%80\ud800", "http://[")
@example("https://shop.example/?utm_source=" + "я" * 5000, "https://" + "a." * 2000)
@example("?utm_medium=\u202egpj.exe", "https://xn--" + "a" * 59 + ".com/")
@example("https://shop.example/?" + "&" * 5000, "https://user:pass@www.google.com:99999/")
@example("https://shop.example/?utm_source=%", "https://exa℀mple.com/")
def test_classifying_never_fails_and_what_it_says_can_be_stored(
    landing: str | None, referrer: str | None
) -> None:
    rules = (Rule(Part.LANDING, "zz", "a", "b"), Rule(Part.REFERRER, "^zz", "a", "b"))
    assert_storable(classify(landing, referrer, own_hosts=["shop.example"], rules=rules))


@given(st.text(max_size=200))
def test_whatever_claims_to_be_openstat_is_read_without_failing(value: str) -> None:
    assert all(len(part) <= 200 for part in read_openstat(value).values())


def test_an_address_is_cut_where_there_is_no_room_for_more() -> None:
    assert len(clean("x" * 10_000)) == LONGEST_ADDRESS
    assert clean("\x00 a\u202eb\ud800\r\n ") == "ab"


def test_only_the_first_parameters_and_their_first_values_count() -> None:
    address = read_address("/?a=1&a=2&" + "&".join(f"p{n}={n}" for n in range(100)))
    assert address
    assert address.parameters["a"] == "1"
    assert len(address.parameters) < 50


def test_an_address_without_scheme_is_read_as_people_type_it() -> None:
    address = read_address("shop.example/page?a=b")
    assert address
    assert (address.host, address.path, address.parameters) == ("shop.example", "/page", {"a": "b"})


# ---- patterns of the company, searched for in strangers' addresses ----


@pytest.mark.parametrize(
    "pattern",
    [
        "utm_campaign=spring",
        "^https://forum[.]example/",
        r"^https?://(www\.)?shop\.example/(sale|promo)/?$",
        ".*brand.*",
        "brand.*sale",
        r"utm_source=(vk|ok)[_-]\w+",
        "^https://shop[.]example/[^?]*[?].*promo=radio",
        "(a|b)*c",
        "поддон[ыа]",
    ],
)
def test_a_harmless_pattern_is_accepted(pattern: str) -> None:
    kept = compiled(read_pattern(pattern))
    for letter in ("a", "brand", "/", "="):
        kept.search((letter * LONGEST_ADDRESS)[:LONGEST_ADDRESS])


@pytest.mark.parametrize(
    ("pattern", "sign"),
    [
        ("", "is no pattern"),
        (".*", "is no pattern"),
        ("x" * 301, "is no pattern"),
        ("a\nb", "is no pattern"),
        ("(", "is no regular expression"),
        ("a{2,99999999999}", "is no regular expression"),
        ("[b-a]", "is no regular expression"),
        ("(a+)+$", "repeats something"),
        ("(a|aa)+$", "repeats something"),
        (r"(\w+\s?)*x", "repeats something"),
        ("(a?){50}b", "repeats something"),
        ("((a{1,9}){1,9}){1,9}b", "repeats something"),
        ("a.*b.*c", "too many ways"),
        ("^a.*b.*c.*d", "too many ways"),
        ("a?" * 40 + "a" * 40, "too many ways"),
        ("(a|ab|abc)" * 20 + "x", "too many ways"),
        (r"(a)\1", "looks around or back"),
        ("(?=a)b", "looks around or back"),
        ("(?<!a)b", "looks around or back"),
    ],
)
def test_a_pattern_that_may_take_long_is_refused(pattern: str, sign: str) -> None:
    with pytest.raises(Rejected, match=sign) as no:
        read_pattern(pattern)
    assert no.value.id == "source.pattern"
    assert "\n" not in no.value.message


def accepts(pattern: str) -> bool:
    try:
        compiled(read_pattern(pattern)).search("ab" * 100)
    except Rejected:
        return False
    return True


def test_brackets_in_brackets_in_brackets_are_answered_too() -> None:
    assert accepts("(" * 20 + "a" + ")" * 20)
    accepts("(" * 149 + "a" + ")" * 149)


@given(st.text(alphabet="ab.*+?|()[]^${}\\,1", max_size=40))
def test_any_text_as_a_pattern_is_accepted_or_refused(text: str) -> None:
    accepts(text)
