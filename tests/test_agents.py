"""Devices, systems and browsers out of user agents; who is no person; countries of addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.places import country_of
from tracker.policy.agents import Agent, is_bot, read_agent

KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {APPLE}"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT}"
VIEW = (
    f"Mozilla/5.0 (Linux; Android 14; SM-S911B; wv) {KIT} Version/4.0 Chrome/130.0.0.0 Mobile Safari/537.36"
)
CHROME = f"{WINDOWS} Chrome/131.0.0.0 Safari/537.36"
SAFARI = "Safari/537.36"


def android(device: str, version: int = 10) -> str:
    return f"Mozilla/5.0 (Linux; Android {version}; {device}) {KIT}"


# device | system | browser, and the user agent in pieces
AGENTS = {
    "phone | iOS 17 | Safari 17": (IPHONE, "Version/17.5 Mobile/15E148 Safari/604.1"),
    "phone | iOS 17 | Chrome 131": (IPHONE, "CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1"),
    "phone | iOS 17 | Google app": (IPHONE, "GSA/320.0 Mobile/15E148 Safari/604.1"),
    "phone | iOS 17 | Instagram 340": (IPHONE, "Mobile/15E148 Instagram 340.0.0.27.109 (iPhone14,5)"),
    "phone | iOS 17 | Facebook 470": (IPHONE, "Mobile/15E148 [FBAN/FBIOS;FBAV/470.0.0.39]"),
    "tablet | iOS 12 | Safari 12": (
        f"Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) {APPLE}",
        "Version/12.1 Mobile/15E148 Safari/604.1",
    ),
    "tablet | iPadOS 17 | Chrome 131": (
        f"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) {APPLE}",
        "CriOS/131.0 Mobile/15E148 Safari/604.1",
    ),
    "desktop | macOS | Safari 17": (  # or an iPad, which calls itself a Mac
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE}",
        "Version/17.5 Safari/605.1.15",
    ),
    "phone | Android 10 | Chrome 131": (android("K"), "Chrome/131.0.0.0 Mobile", SAFARI),
    "tablet | Android 10 | Chrome 131": (android("K"), "Chrome/131.0.0.0", SAFARI),
    "tablet | Android 13 | Chrome 131": (android("SM-X700", 13), "Chrome/131.0.0.0 Mobile", SAFARI),
    "tablet | Android 13 | Firefox 128": (
        "Mozilla/5.0 (Android 13; Tablet; rv:128.0) Gecko/128.0 Firefox/128.0",
    ),
    "phone | Android 13 | Firefox 128": (
        "Mozilla/5.0 (Android 13; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0",
    ),
    "tablet | Android 9 | Amazon Silk 120": (
        android("KFTRWI", 9),
        "Silk/120.1.1 like Chrome/120.0.0.0",
        SAFARI,
    ),
    "phone | Android 14 | Android WebView 130": (VIEW,),
    "phone | Android 14 | Facebook 490": (VIEW, "[FB_IAB/FB4A;FBAV/490.0.0.63.82;]"),
    "phone | Android 14 | VK": (VIEW, "VKAndroidApp/8.50"),
    "phone | Android 14 | TikTok": (VIEW, "musical_ly_2023"),
    "phone | Android 10 | Samsung Internet 26": (
        android("K"),
        "SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile",
        SAFARI,
    ),
    "phone | HarmonyOS 5 | Chrome 114": (
        f"Mozilla/5.0 (Phone; OpenHarmony 5.0) {KIT} Chrome/114.0.0.0",
        SAFARI,
        "ArkWeb/4.1 Mobile",
    ),
    "phone | KaiOS 2 | Firefox 48": (
        "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
    ),
    "desktop | Windows 10 | Chrome 131": (CHROME,),
    "desktop | Windows 10 | Edge 131": (CHROME, "Edg/131.0.0.0"),
    "desktop | Windows 10 | Opera 115": (CHROME, "OPR/115.0.0.0"),
    "desktop | Windows 10 | Yandex Browser 24": (WINDOWS, "Chrome/128.0.0.0 YaBrowser/24.10.0.0", SAFARI),
    "desktop | Windows 7 | IE 11": ("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",),
    "desktop | Ubuntu | Firefox 132": (
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    ),
    "desktop | ChromeOS | Chrome 131": (
        f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KIT} Chrome/131.0.0.0",
        SAFARI,
    ),
    "other | Tizen 6 | Samsung Internet 4": (
        f"Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) {KIT}",
        "SamsungBrowser/4.0 Chrome/76.0.3809.146 TV",
        SAFARI,
    ),
    "other | None | None": ("nonsense",),
}


@pytest.mark.parametrize("told", AGENTS)
def test_a_user_agent_tells_device_system_and_browser(told: str) -> None:
    read = read_agent(" ".join(AGENTS[told]))
    assert f"{read.device} | {read.system} | {read.browser}" == told


@pytest.mark.parametrize("told", AGENTS)
def test_a_person_is_no_bot(told: str) -> None:
    assert not is_bot(" ".join(AGENTS[told]), {"Accept": "*/*", "Sec-Fetch-Mode": "cors"})


def test_without_a_user_agent_nothing_is_known() -> None:
    assert read_agent(None) == read_agent("") == Agent("other", None, None)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "   ",
        f"Mozilla/5.0 (X11; Linux x86_64) {KIT} HeadlessChrome/131.0.0.0 Safari/537.36",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        f"Mozilla/5.0 {KIT}; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "AdsBot-Google (+http://www.google.com/adsbot.html)",
        "facebookexternalhit/1.1",
        "TelegramBot (like TwitterBot)",
        "curl/8.5.0",
        "python-requests/2.32.0",
    ],
)
def test_a_machine_is_a_bot(agent: str) -> None:
    assert is_bot(agent, {})


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"sec-purpose": "prefetch;anonymous-client-ip"},
        {"Purpose": "prefetch"},
        {"X-Purpose": "preview"},
        {"X-Moz": "prefetch"},
    ],
)
def test_a_page_fetched_ahead_is_not_looked_at(headers: dict[str, str]) -> None:
    assert is_bot(CHROME, headers)


@given(st.text(max_size=2000))
def test_any_text_is_read_and_fits_the_table_of_visits(agent: str) -> None:
    read = read_agent(agent)
    assert all(text is None or 1 <= len(text) <= 60 for text in (read.system, read.browser))
    assert isinstance(is_bot(agent, {}), bool)


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("8.8.8.8", "US"),
        ("::ffff:8.8.8.8", "US"),
        ("77.88.55.242", "RU"),
        ("[2a02:6b8::2:242]", "RU"),
        ("10.0.0.1", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("fe80::1%eth0", None),
        ("203.0.113.7", None),
        ("", None),
        ("unix:", None),
    ],
)
def test_an_address_tells_its_country(address: str, country: str | None) -> None:
    assert country_of(address) == country
