"""Where a visitor came from, out of the landing address and the referrer."""

from __future__ import annotations

import base64
import tomllib

import pytest

from tracker.policy.click_ids import CLICK_IDS
from tracker.policy.referrers import BUILT_IN, Kind, KnownHost
from tracker.policy.sources import Origin, Part, Rule, classify, decide
from tracker.settings import CHECKOUT

OWN = ("shop.example", "*.pallets.example")
GCLID = "gclid=Cj0KCQiAgJa6BhCOARIsAMiL7V8mPq"
FBCLID = "fbclid=IwAR2x0f9sN3dKqLw7uVbXyZaBcDeFgHiJk"
MSCLKID = "msclkid=6b1a2c3d4e5f60718293a4b5c6d7e8f9"
SRSLTID = "srsltid=AfmBOorQ2x0f9sN3dKqLw7uVbXyZaBcDe"


def came(query: str = "", referrer: str | None = None, *rules: Rule) -> Origin:
    return classify(f"https://shop.example/pallets{query}", referrer, own_hosts=OWN, rules=rules)


# what follows the address of the page, and the referrer -> source / medium | group
CASES = f"""
                                           -> (direct) / (none) | Direct
about:blank                                -> (direct) / (none) | Direct
file:///home.html                          -> (direct) / (none) | Direct
chrome-extension://abcdef/page.html        -> (direct) / (none) | Direct
https://                                   -> (direct) / (none) | Direct
?page=2&sort=price                         -> (direct) / (none) | Direct
?keyword=oak                               -> (direct) / (none) | Direct
?utm_source=&utm_medium=                   -> (direct) / (none) | Direct
https://shop.example/start                 -> (direct) / (none) | Direct
https://www.shop.example/                  -> (direct) / (none) | Direct
https://blog.shop.example/post             -> (direct) / (none) | Direct
https://blog.pallets.example/post          -> (direct) / (none) | Direct
https://checkout.stripe.com/pay/123        -> (direct) / (none) | Direct
https://www.paypal.com/                    -> (direct) / (none) | Direct
https://yoomoney.ru/checkout               -> (direct) / (none) | Direct
https://oauth.vk.com/authorize             -> (direct) / (none) | Direct
https://accounts.google.com/               -> (direct) / (none) | Direct
https://notshop.example/                   -> notshop.example / referral | Referral
https://shop.example.evil.com/             -> shop.example.evil.com / referral | Referral
https://www.google.com/                    -> google / organic | Organic Search
https://www.google.co.uk/                  -> google / organic | Organic Search
http://google.com.tr/search?q=x            -> google / organic | Organic Search
https://images.google.de/                  -> google / organic | Organic Search
https://maps.google.com/                   -> google maps / organic | Organic Search
https://notgoogle.com/                     -> notgoogle.com / referral | Referral
https://google.com.evil.example/           -> google.com.evil.example / referral | Referral
https://google.xyz/                        -> google.xyz / referral | Referral
https://docs.google.com/document/1         -> docs.google.com / referral | Referral
https://translate.google.com/              -> translate.google.com / referral | Referral
https://shop-example.translate.goog/       -> shop-example.translate.goog / referral | Referral
https://mail.google.com/mail/u/0           -> gmail / email | Email
https://yandex.ru/search/                  -> yandex / organic | Organic Search
https://ya.ru/                             -> yandex / organic | Organic Search
https://yandex.com.tr/                     -> yandex / organic | Organic Search
https://mail.yandex.ru/                    -> yandex mail / email | Email
https://alice.yandex.ru/                   -> alice / ai-assistant | AI Assistant
https://go.mail.ru/search                  -> mail.ru / organic | Organic Search
https://e.mail.ru/inbox                    -> mail.ru mail / email | Email
https://my.mail.ru/                        -> my world / social | Organic Social
https://www.bing.com/                      -> bing / organic | Organic Search
https://cn.bing.com/                       -> bing / organic | Organic Search
https://duckduckgo.com/                    -> duckduckgo / organic | Organic Search
https://de.search.yahoo.com/               -> yahoo / organic | Organic Search
https://www.ecosia.org/                    -> ecosia / organic | Organic Search
https://www.baidu.com/link                 -> baidu / organic | Organic Search
https://search.naver.com/                  -> naver / organic | Organic Search
https://search.seznam.cz/                  -> seznam / organic | Organic Search
https://dzen.ru/                           -> dzen / social | Organic Social
https://l.facebook.com/l.php               -> facebook / social | Organic Social
https://facebook.com.evil.ru/              -> facebook.com.evil.ru / referral | Referral
https://t.co/abc                           -> twitter / social | Organic Social
https://away.vk.com/away.php               -> vk / social | Organic Social
https://ok.ru/                             -> ok / social | Organic Social
https://t.me/s/pallets                     -> telegram / social | Organic Social
https://www.youtube.com/                   -> youtube / referral | Organic Video
https://www.amazon.co.uk/                  -> amazon / referral | Organic Shopping
https://chatgpt.com/                       -> chatgpt / ai-assistant | AI Assistant
https://chat.openai.com/                   -> chatgpt / ai-assistant | AI Assistant
https://claude.ai/chat                     -> claude / ai-assistant | AI Assistant
https://gemini.google.com/app              -> gemini / ai-assistant | AI Assistant
https://www.perplexity.ai/                 -> perplexity / ai-assistant | AI Assistant
https://copilot.microsoft.com/             -> copilot / ai-assistant | AI Assistant
https://chat.deepseek.com/                 -> deepseek / ai-assistant | AI Assistant
https://grok.com/                          -> grok / ai-assistant | AI Assistant
https://x.com/i/grok                       -> grok / ai-assistant | AI Assistant
https://x.com/somebody                     -> twitter / social | Organic Social
https://chat.mistral.ai/                   -> mistral / ai-assistant | AI Assistant
https://www.meta.ai/                       -> meta ai / ai-assistant | AI Assistant
android-app://com.google.android.googlequicksearchbox/ -> google / organic | Organic Search
android-app://org.telegram.messenger/      -> telegram / social | Organic Social
android-app://com.google.android.gm        -> gmail / email | Email
android-app://com.example.news/            -> com.example.news / referral | Referral
https://xn--e1afmkfd.xn--p1ai/page         -> пример.рф / referral | Referral
https://forum.example:8443/thread          -> forum.example / referral | Referral
HTTPS://FORUM.EXAMPLE./thread              -> forum.example / referral | Referral
?utm_source=Google&utm_medium=CPC https://www.google.com/ -> google / cpc | Paid Search
?utm_source=news&utm_medium=email https://mail.google.com/ -> news / email | Email
?utm_source=news&utm_medium=email https://shop.example/ -> news / email | Email
?utm_source=vk&utm_medium=cpc              -> vk / cpc | Paid Social
?utm_campaign=spring https://yandex.ru/    -> yandex / organic | Organic Search
?utm_campaign=spring                       -> (not set) / (not set) | Unassigned
?utm_campaign=spring https://shop.example/ -> (not set) / (not set) | Unassigned
?utm_source=qr                             -> qr / (not set) | Unassigned
?utm_source=google https://www.google.com/ -> google / organic | Organic Search
?utm_source=flyer https://www.google.com/  -> flyer / (not set) | Unassigned
?utm_source=chatgpt.com                    -> chatgpt / ai-assistant | AI Assistant
?utm_source=google&{GCLID}                 -> google / cpc | Paid Search
?UTM_SOURCE=qr&Utm_Medium=print            -> qr / print | Unassigned
#utm_source=qr&utm_medium=print            -> qr / print | Unassigned
#/menu?utm_source=qr&utm_medium=sms        -> qr / sms | SMS
?{GCLID}                                   -> google / cpc | Paid Search
?{GCLID} https://t.me/                     -> google / cpc | Paid Search
?{GCLID} https://shop.example/             -> google / cpc | Paid Search
?gbraid=0AAAAAo7xQ2x0f9sN3dKq              -> google / cpc | Paid Search
?wbraid=CjkKCQiA2x0f9sN3dKq                -> google / cpc | Paid Search
?gad_source=1 https://www.google.com/      -> google / cpc | Paid Search
?{MSCLKID} https://www.bing.com/           -> bing / cpc | Paid Search
?yclid=1234567890123456789                 -> yandex / cpc | Paid Search
?ymclid=17345678901234567890               -> yandex.market / cpc | Paid Shopping
?{FBCLID}                                  -> facebook / social | Organic Social
?{FBCLID} https://l.instagram.com/         -> instagram / social | Organic Social
?{FBCLID} https://m.facebook.com/          -> facebook / social | Organic Social
?{FBCLID} https://www.google.com/          -> google / organic | Organic Search
?{FBCLID} https://shop.example/            -> (direct) / (none) | Direct
?{FBCLID}&utm_medium=paid_social           -> facebook / paid_social | Paid Social
?{FBCLID}&{GCLID}                          -> google / cpc | Paid Search
?igshid=NTc4MTIwNjQ2YQ==                   -> instagram / social | Organic Social
?ttclid=E.C.P.CrYBi3dAbCdEfGhIjKl          -> tiktok / paid_social | Paid Social
?twclid=2-4kx0f9sn3dkqlw7uvb               -> twitter / paid_social | Paid Social
?ScCid=0123abcd-45ef-6789-abcd-0123        -> snapchat / paid_social | Paid Social
?rdt_cid=5083123456789012345               -> reddit / paid_social | Paid Social
?rb_clickid=83a0-1690-1234567              -> vk / paid_social | Paid Social
?dclid=CjkKEQjwAbCdEfGhIj                  -> dv360 / display | Display
?{SRSLTID} https://www.google.de/          -> google / organic | Organic Shopping
?{SRSLTID} https://www.bing.com/           -> bing / organic | Organic Search
?ysclid=lxyz0123456789abcd https://yandex.ru/ -> yandex / organic | Organic Search
?gclsrc=aw.ds                              -> (direct) / (none) | Direct
"""


def rows() -> list[tuple[str, str, str, str]]:
    found = []
    for line in CASES.strip("\n").splitlines():
        given, expected = line.split("->")
        said, group = expected.split("|")
        query = "".join(word for word in given.split() if word[0] in "?#")
        found.append((query, "".join(given.split()).removeprefix(query), said.strip(), group.strip()))
    return found


@pytest.mark.parametrize(("query", "referrer", "said", "group"), rows())
def test_a_visit_is_told_by_its_addresses(query: str, referrer: str, said: str, group: str) -> None:
    origin = came(query, referrer)
    assert (f"{origin.source} / {origin.medium}", origin.group) == (said, group)


def test_a_touch_is_new_unless_nothing_from_outside_says_so() -> None:
    assert came("?utm_source=qr").new_touch
    assert came(referrer="https://t.me/").new_touch
    assert came("?" + GCLID, "https://shop.example/").new_touch
    assert not came().new_touch
    assert not came(referrer="https://shop.example/").new_touch
    assert not came(referrer="https://www.paypal.com/").new_touch
    assert not came("?" + FBCLID, "https://shop.example/").new_touch


def test_a_page_is_its_own_host_even_when_no_site_names_it() -> None:
    origin = classify("https://beta.example/", "https://www.beta.example/x", own_hosts=())
    assert (origin.source, origin.new_touch) == ("(direct)", False)


def test_a_campaign_is_kept_as_it_was_written() -> None:
    told = (
        "?utm_source=Yandex&utm_medium=CPC&utm_campaign=Spring%20Sale+2026&utm_content=Ad%2F7"
        "&utm_term=%D0%BF%D0%BE%D0%B4%D0%B4%D0%BE%D0%BD%D1%8B&utm_id=77&utm_source_platform=Direct"
        "&utm_creative_format=video&utm_marketing_tactic=Prospecting&color=red"
    )
    origin = came(told)
    assert (origin.source, origin.medium) == ("yandex", "cpc")
    assert (origin.campaign, origin.keyword, origin.content) == ("Spring Sale 2026", "поддоны", "Ad/7")
    assert origin.parameters["utm_source"] == "Yandex"
    assert origin.parameters["utm_marketing_tactic"] == "Prospecting"
    assert "color" not in origin.parameters


@pytest.mark.parametrize(
    ("query", "referrer", "keyword"),
    [
        ("?utm_source=google&utm_term=oak+pallets", "", "oak pallets"),
        (f"?{GCLID}&keyword=oak%20pallets&matchtype=e", "", "oak pallets"),
        (f"?{GCLID}&keyword=%7Bkeyword%7D", "", None),
        ("?utm_source=yandex&utm_medium=cpc&utm_term={keyword}&keyword=oak", "", "oak"),
        ("", "https://yandex.ru/search/?lr=213&text=%D0%BF%D0%BE%D0%B4%D0%B4%D0%BE%D0%BD", "поддон"),
        ("", "https://www.google.de/search?q=Paletten", "Paletten"),
        ("", "https://www.baidu.com/s?wd=pallet", "pallet"),
        ("", "https://forum.example/?q=oak", None),
        ("?utm_source=google&utm_term=oak", "https://www.google.com/?q=elm", "oak"),
    ],
)
def test_the_keyword_is_what_the_advertiser_or_the_search_engine_says(
    query: str, referrer: str, keyword: str | None
) -> None:
    assert came(query, referrer).keyword == keyword


@pytest.mark.parametrize(
    ("query", "campaign"),
    [
        ("?utm_source=a&utm_campaign=x&utm_id=7", "x"),
        ("?utm_source=a&utm_id=7", "7"),
        (f"?{GCLID}&gad_campaignid=21873645544", "21873645544"),
        (f"?{GCLID}&campaignid=4711", "4711"),
        ("?utm_source=a&utm_campaign={campaignid}", None),
        ("?" + SRSLTID, "Shopping free listings"),
        ("?utm_source=chatgpt.com", "(ai-assistant)"),
    ],
)
def test_the_campaign_is_the_first_that_is_filled_in(query: str, campaign: str | None) -> None:
    assert came(query).campaign == campaign


def test_openstat_is_unpacked() -> None:
    packed = base64.urlsafe_b64encode(b"direct.yandex.ru;12345;67890;yandex.ru:guarantee").decode()
    origin = came(f"?_openstat={packed.rstrip('=')}")
    assert (origin.source, origin.medium, origin.group) == ("yandex", "cpc", "Paid Search")
    assert (origin.campaign, origin.content, origin.suspicion) == ("12345", "67890", None)
    other = base64.urlsafe_b64encode(b"Partner.example;1;2;page").decode()
    assert came(f"?_openstat={other}").source == "partner.example"
    assert came("?_openstat=bm9uc2Vuc2U").suspicion == "unusual form: _openstat"


def test_click_ids_are_kept_to_the_letter() -> None:
    origin = came(f"?{GCLID}&gad_source=1&sccid=AbCdEfGhIjKlMnOpQrSt&yclid=18446744073709551615")
    assert origin.click_ids == {
        "gclid": GCLID.removeprefix("gclid="),
        "gad_source": "1",
        "ScCid": "AbCdEfGhIjKlMnOpQrSt",
        "yclid": "18446744073709551615",
    }


@pytest.mark.parametrize("name", [each.name for each in CLICK_IDS])
def test_a_click_id_of_an_unusual_form_is_suspected_and_kept(name: str) -> None:
    origin = came(f"?{name}=!")
    assert origin.click_ids == {name: "!"}
    assert origin.suspicion == f"unusual form: {name}"
    assert not origin.paid


def test_a_forged_click_id_names_its_source_and_opens_no_reserve() -> None:
    origin = came("?gclid=1")
    assert (origin.source, origin.medium, origin.group, origin.paid) == (
        "google",
        "cpc",
        "Paid Search",
        False,
    )


@pytest.mark.parametrize(
    ("query", "paid"),
    [
        ("?" + GCLID, True),
        ("?gad_source=1", True),
        ("?yclid=1234567890123456789", True),
        ("?utm_source=google&utm_medium=cpc", True),
        ("?utm_source=dv360&utm_medium=display", True),
        (f"?utm_source=newsletter&utm_medium=email&{GCLID}", True),
        ("?utm_source=google&utm_medium=cpc&gclid=1", True),
        ("?" + FBCLID, False),
        ("?" + SRSLTID, False),
        ("?utm_source=newsletter&utm_medium=email", False),
        ("", False),
    ],
)
def test_paid_is_who_came_by_an_advertisement(query: str, paid: bool) -> None:
    assert came(query).paid is paid


# ---- a company's own rules ----

FORUM = Rule(Part.REFERRER, r"^https://forum[.]example/", "community", "Our forum", "answers")
RADIO = Rule(Part.LANDING, r"[?&]promo=(radio|радио)", "offline", "Radio")


def test_a_rule_outweighs_everything_else() -> None:
    origin = came("?utm_source=google&utm_medium=cpc&utm_term=oak", "https://forum.example/t/1", RADIO, FORUM)
    assert (origin.medium, origin.source, origin.campaign) == ("community", "Our forum", "answers")
    assert (origin.keyword, origin.new_touch) == ("oak", True)


def test_the_first_rule_that_fits_decides() -> None:
    other = Rule(Part.REFERRER, "forum", "referral", "other")
    assert came("", "https://forum.example/", other, FORUM).source == "other"
    assert came("?promo=radio", "https://forum.example/", RADIO, FORUM).source == "Radio"


def test_a_rule_sees_the_address_as_people_read_it_regardless_of_case() -> None:
    assert came("?PROMO=%D1%80%D0%B0%D0%B4%D0%B8%D0%BE", None, RADIO).source == "Radio"


def test_a_rule_on_the_landing_address_is_no_touch_for_who_walks_about_on_the_site() -> None:
    assert not came("?promo=radio", "https://shop.example/", RADIO).new_touch
    assert came("?promo=radio", "https://www.google.com/", RADIO).source == "Radio"


def test_a_rule_may_make_an_own_site_a_source() -> None:
    rule = Rule(Part.REFERRER, "^https://blog[.]", "content", "blog")
    origin = came("", "https://blog.shop.example/", rule)
    assert (origin.source, origin.new_touch) == ("blog", True)


# ---- the lists ----


def test_an_imported_host_is_known_and_cannot_displace_ours() -> None:
    more = [
        KnownHost(Kind.SEARCH, "Seek", "seek.{}", ("words",)),
        KnownHost(Kind.SEARCH, "Facebook", "www.facebook.com", ("q",)),
    ]
    known = BUILT_IN.and_also(more)
    seek = classify("/", "https://www.seek.co.nz/?words=oak", own_hosts=(), known=known)
    assert (seek.source, seek.medium, seek.keyword, seek.group) == (
        "seek",
        "organic",
        "oak",
        "Organic Search",
    )
    facebook = classify("/", "https://www.facebook.com/", own_hosts=(), known=known)
    assert facebook.medium == "social"


def test_the_list_names_every_host_once_and_small() -> None:
    data = tomllib.loads((CHECKOUT / "tracker" / "data" / "referrers.toml").read_text())
    hosts = [host for kind in Kind for entry in data[kind].values() for host in entry["hosts"]]
    assert sorted(set(hosts)) == sorted(hosts)
    assert hosts == [host.lower() for host in hosts]
    assert data.keys() == set(Kind)


@pytest.mark.parametrize(
    ("query", "referrer", "because"),
    [
        ("?utm_source=a&utm_medium=b", "", "campaign parameters: utm_source, utm_medium"),
        ("?" + GCLID, "", "click id gclid"),
        ("", "https://www.google.com/", "the referrer google.com is on the list of search engines"),
        ("", "https://forum.example.org/", "the referrer forum.example.org is on no list"),
        ("", "https://shop.example/", "shop.example is the company's own: no new source"),
        ("", "https://www.paypal.com/", "paypal.com is a page that visitors pass through: no new source"),
        ("?promo=radio", "", r"rule 2: '[?&]promo=(radio|радио)' is found in the landing address"),
        ("", "", "neither a campaign nor a referrer: direct"),
    ],
)
def test_a_decision_says_why(query: str, referrer: str, because: str) -> None:
    landing = f"https://shop.example/{query}"
    assert decide(landing, referrer, own_hosts=OWN, rules=(FORUM, RADIO)).because == because
