"""What the script swaps and what it leaves alone: spellings of four countries, links, split numbers."""

from __future__ import annotations

import gzip
import html
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from support.browser import complaints
from support.visiting import add_to_pool
from support.website import REAL, Shop, Street, asked, listened, websites

from demo import visitors
from tracker.models import Pool, Site, Swap

AMERICAN, GERMAN, BRITISH = "+16502530000", "+4989123456", "+442079460000"
# The pool's number for each; the German one is longer than the one it stands for.
OWN = {AMERICAN: "+16502530111", GERMAN: "+498976543210", BRITISH: "+442079460999"}
SPELLINGS = {
    # Russia: 8 is the trunk prefix
    "8 (495) 765-43-21": "8 (495) 100-00-00",
    "+7 (495) 765-43-21": "+7 (495) 100-00-00",
    "+74957654321": "+74951000000",
    "84957654321": "84951000000",
    "8-495-765-43-21": "8-495-100-00-00",
    "8.495.765.4321": "8.495.100.0000",
    "495 765 43 21": "495 100 00 00",
    "(495) 765-43-21": "(495) 100-00-00",
    "(8 495 765-43-21)": "(8 495 100-00-00)",
    "007 495 765-43-21": "007 495 100-00-00",
    "+7\u00a0495\u00a0765\u201143\u201121": "+7\u00a0495\u00a0100\u201100\u201100",
    "8\u2009(495)\u2009765\u2013432\u200b1": "8\u2009(495)\u2009100\u2013000\u200b0",
    "8 (495)\n      765-43-21": "8 (495)\n      100-00-00",
    "8(495)765 - 43 - 21": "8(495)100 - 00 - 00",
    "Тел.8(495)765-43-21, звоните": "Тел.8(495)100-00-00, звоните",
    "8 (495) 765-43-21 и +7 495 765-43-21": "8 (495) 100-00-00 и +7 495 100-00-00",
    "8 (495) 765-43-21 24/7": "8 (495) 100-00-00 24/7",
    "8 (495) 765-43-21/8 (495) 765-43-22": "8 (495) 100-00-00/8 (495) 765-43-22",
    "8 (495) 765-43-21 доб. 12": "8 (495) 100-00-00 доб. 12",
    "T+7 495 765-43-21": "T+7 495 100-00-00",
    "+ 7 495 765-43-21": "+ 7 495 100-00-00",
    "00 7 495 765-43-21": "00 7 495 100-00-00",
    # what stands before a number is not always a part of it
    "9:00-18:00 8 (495) 765-43-21": "9:00-18:00 8 (495) 100-00-00",
    "9:00-18, 495 765-43-21": "9:00-18, 495 100-00-00",
    "c 18:00, 495 765-43-21": "c 18:00, 495 100-00-00",
    "© 2008 (495) 765-43-21": "© 2008 (495) 100-00-00",
    "10 000 495 765-43-21": "10 000 495 100-00-00",
    "+44 20 7946 0001, 495 765-43-21": "+44 20 7946 0001, 495 100-00-00",
    # the United States and Canada: 1
    "+1 (650) 253-0000": "+1 (650) 253-0111",
    "(650) 253-0000": "(650) 253-0111",
    "650.253.0000": "650.253.0111",
    "1-650-253-0000": "1-650-253-0111",
    "650-253-0000 x12": "650-253-0111 x12",
    "1-800-FLOWERS": "+1 650-253-0111",
    "1 800 flowers": "+1 650-253-0111",
    # Germany: 0, and numbers of any length
    "089 123456": "+49 89 76543210",
    "089/12 34 56": "+49 89 76543210",
    "+49 89 123456": "+49 89 76543210",
    "0049 89 123456": "+49 89 76543210",
    "+49 (0)89 123456": "+49 89 76543210",
    # Britain: 0
    "020 7946 0000": "020 7946 0999",
    "+44 (0)20 7946 0000": "+44 20 7946 0999",
    "+44 20 7946 0000": "+44 20 7946 0999",
    "(020) 7946 0000": "(020) 7946 0999",
}
UNTOUCHED = (
    "8 (495) 765-43-22",  # another of the company's, or somebody else's
    "184957654321",
    "849576543210",
    "ID84957654321",
    "8 (495) 765-43-21-55",
    "84957654321@mail.example",
    "+784957654321",
    "8 (495), 765-43-21 and",
    "4957-6543",
    "2026-11-20 12:00, 4 957 654",
    "1-800-FLOW",
    # the same digits in other countries
    "+44 495 765 4321",
    "+44 (495) 765-43-21",
    "(+44) 495 765 4321",
    "+44-495-765-4321",
    "+ 44.495.765.4321",
    "+375 (0) 495 765 43 21",
    "+1 8 495 765 43 21",
    "Fax:+44495 765 4321, T+44 495 765 4321",
    "0044 495 765 4321",
    "(0044) 495 765-43-21",
    "+84 957 654 321",
    "+495 765 4321",
    "00495 765 4321",
    "+7 20 7946 0000",
    "+49 (0)20 7946 0000",
    "+44 650 253 0000",
)
LEFT_ALONE = """
<script type="application/ld+json">{"telephone": "8 (495) 765-43-21"}</script>
<style>b::after { content: "8 (495) 765-43-21" }</style>
<noscript>8 (495) 765-43-21</noscript>
<div itemscope><meta itemprop="telephone" content="8 (495) 765-43-21"></div>
<textarea>8 (495) 765-43-21</textarea><input value="8 (495) 765-43-21">
<select><option>8 (495) 765-43-21</select>
<code>8 (495) 765-43-21</code><p contenteditable>8 (495) 765-43-21</p>
<p data-leaseline-noswap><b>8 (495) 765-43-21</b> <a href="tel:+74957654321">us</a></p>
<p data-calltrk-noswap>8 (495) <b>765-43-21</b></p>
<a href="https://wa.me/74957654321">WhatsApp</a> <a href="sms:+74957654321">SMS</a>
<a href="whatsapp://send?phone=74957654321">W</a> <a href="mailto:84957654321@mail.example">Mail</a>
<a href="/order/84957654321" title="Order 84957654321">Order</a> <img alt="8 (495) 765-43-21">
"""
LINKS = {
    'href="tel:+74957654321"': 'href="tel:+74951000000"',
    'href="TEL:84957654321"': 'href="TEL:84951000000"',
    'href="tel:8-495-765-43-21"': 'href="tel:8-495-100-00-00"',
    'href="tel:+7%20(495)%20765-43-21"': 'href="tel:+7(495)100-00-00"',
    'href="tel:+74957654321;ext=12"': 'href="tel:+74951000000;ext=12"',
    'href="tel:+74957654321,,12#"': 'href="tel:+74951000000,,12#"',
    'href="callto:+74957654321"': 'href="callto:+74951000000"',
    'href="tel:089123456"': 'href="tel:+498976543210"',
    'href="tel:+74957654322"': 'href="tel:+74957654322"',
    'href="tel:+44495-765-4321"': 'href="tel:+44495-765-4321"',
    'href="tel:0044-495-765-4321"': 'href="tel:0044-495-765-4321"',
    'href="tel:+74957654321" aria-label="Call 8 (495) 765-43-21" title="+7 495 765 43 21"':
        'href="tel:+74951000000" aria-label="Call 8 (495) 100-00-00" title="+7 495 100 00 00"',
}  # fmt: skip
SPLIT = {
    "<span>8 (495)</span> 765-43-21": "8 (495) 100-00-00",
    "<span>(650)</span> <b>253</b>-<i>0000</i>": "(650) 253-0111",
    "Тел.: <i>+7</i> <b>495</b> 765-43-21": "Тел.: +7 495 100-00-00",
    "<b>8</b> (495) <u><b>765</b>-43-21</u>": "8 (495) 100-00-00",
    "<b>8 (495)</b> 765-43-22": "8 (495) 765-43-22",
    "Room <b>495</b>, 765 beds": "Room 495, 765 beds",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with visitors.browser() as started:
        yield started


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with websites(tmp_path_factory.mktemp("numbers")) as street:
        yield street


@pytest.fixture(scope="module")
def shop(street: Street) -> Shop:
    """A Russian company with numbers of four countries on its pages, a pool for each."""
    shop = street.shop({})
    now = datetime.now(UTC)
    with street.database.write() as session:
        for e164, own in OWN.items():
            pool = Pool(company_id=shop.ids.company_id, name=e164, created_at=now)
            session.add(pool)
            session.flush()
            add_to_pool(session, shop.ids.company_id, pool.id, own, now)
            alias = "1-800-FLOWERS" if e164 == AMERICAN else None
            site = session.get_one(Site, shop.ids.site_id)
            site.swaps.append(Swap(position=9, e164=e164, pool_id=pool.id, alias=alias))
    return shop


@pytest.fixture(scope="module")
def visitor(shop: Shop, browser: Browser) -> Iterator[BrowserContext]:
    """One visitor for all the pages: he is shown the first number of each pool."""
    context = shop.profile(browser)
    yield context
    context.close()


def look(shop: Shop, visitor: BrowserContext, body: str) -> Page:
    """A page with that body."""
    shop.pages["/"] = f"<!doctype html><html><head><title>Shop</title></head><body>{body}SCRIPT</body></html>"
    page = listened(visitor.new_page())
    page.goto("/")
    page.wait_for_function("window.Leaseline?.number")
    return page


@pytest.fixture(scope="module")
def page(shop: Shop, visitor: BrowserContext) -> Page:
    """Everything on one page."""
    parts = [f"<p class=spelling>{html.escape(text)}</p>" for text in SPELLINGS]
    parts += [f"<p class=untouched>{html.escape(text)}</p>" for text in UNTOUCHED]
    parts += [f"<a class=link {attributes}>Call us</a>" for attributes in LINKS]
    parts += [f"<p class=split>{inner}</p>" for inner in SPLIT]
    return look(shop, visitor, "".join([*parts, f"<div id=alone>{LEFT_ALONE}</div>"]))


def texts(page: Page, selector: str) -> list[str]:
    found: list[str] = page.eval_on_selector_all(selector, "all => all.map(each => each.textContent)")
    return found


def test_a_number_is_swapped_in_the_format_in_which_it_stands(page: Page) -> None:
    assert dict(zip(SPELLINGS, texts(page, ".spelling"), strict=True)) == SPELLINGS


def test_what_is_not_the_number_is_left_as_it_is(page: Page) -> None:
    assert tuple(texts(page, ".untouched")) == UNTOUCHED


def test_links_call_the_visitors_number(page: Page) -> None:
    written = page.eval_on_selector_all(
        ".link",
        """all => all.map(({attributes}) =>
            [...attributes].slice(1).map(({name, value}) => `${name}="${value}"`).join(' '))""",
    )
    assert dict(zip(LINKS, written, strict=True)) == LINKS


def test_a_number_split_over_elements_is_one_number(page: Page) -> None:
    assert dict(zip(SPLIT, texts(page, ".split"), strict=True)) == SPLIT


def test_structured_data_fields_code_and_what_is_marked_are_left_alone(page: Page) -> None:
    as_parsed = page.evaluate(
        "text => new DOMParser().parseFromString(`<p></p>${text}`, 'text/html').body.innerHTML.slice(7)",
        LEFT_ALONE,
    )
    assert page.inner_html("#alone").replace("&lt;", "<") == as_parsed.replace("&lt;", "<")
    assert page.input_value("input") == "8 (495) 765-43-21"


def test_elements_and_texts_stay_the_same_objects(shop: Shop, visitor: BrowserContext) -> None:
    """A framework that holds on to them goes on working."""
    keep = "<script>window.kept = document.querySelector('p'); window.text = kept.firstChild</script>"
    page = look(shop, visitor, f"<p>8 (495) 765-43-21</p>{keep}")
    assert (
        page.evaluate("kept.isConnected && kept.firstChild === text && text.nodeValue") == "8 (495) 100-00-00"
    )


def test_a_hook_shows_the_number_whatever_stood_there(shop: Shop, visitor: BrowserContext) -> None:
    page = look(
        shop,
        visitor,
        f"<b data-leaseline-number='{REAL}'>call us</b><i data-leaseline-number='{GERMAN}'></i>"
        "<u data-leaseline-number='+19005550100'>other</u>",
    )
    assert texts(page, "b, i, u") == ["8 (495) 100-00-00", "+49 89 76543210", "other"]
    page.evaluate("Leaseline.restore()")
    assert texts(page, "b, i, u") == ["call us", "", "other"]


def test_a_number_without_digits_in_common_is_put_back_as_it_was(shop: Shop, visitor: BrowserContext) -> None:
    body = "<p>089 123456</p><p><b>Тел.:</b> <i>+7</i> (495) 765-43-21</p><a href='tel:1-800-FLOWERS'>F</a>"
    page = look(shop, visitor, body)
    assert texts(page, "p") == ["+49 89 76543210", "Тел.: +7 (495) 100-00-00"]
    page.evaluate("Leaseline.restore()")
    assert page.inner_html("body").startswith(body.replace("'", '"'))
    page.evaluate("Leaseline.swap()")
    assert texts(page, "p")[0] == "+49 89 76543210"


def test_the_script_is_at_most_three_kilobytes(street: Street) -> None:
    plain = street.shop({"/": ""})
    with urllib.request.urlopen(plain.script) as answer:
        text = answer.read().replace(plain.ids.key.encode(), b"Zx81_qT-4bLm")  # a key as real ones are
    size = len(gzip.compress(text, 9, mtime=0))
    print(f"\nscript gzip_bytes={size}")
    assert size <= 3072


def test_nothing_is_asked_twice_and_nothing_complains(page: Page) -> None:
    assert asked(page) == ["visits"]
    assert complaints(page) == []


def test_numbers_are_told_in_the_format_they_are_asked_in(shop: Shop, visitor: BrowserContext) -> None:
    page = look(shop, visitor, "")
    told = page.evaluate(
        "new Promise((done) => CallTrk.getSwapNumbers(['8 495 765-43-21', '6502530000', '5550100'], done))"
    )
    assert told == {"8 495 765-43-21": "8 495 100-00-00", "6502530000": "6502530111", "5550100": "5550100"}
