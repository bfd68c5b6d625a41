"""Google Analytics 4's default channel groups: every row of the published table, in its order."""

from __future__ import annotations

import pytest

from tracker.policy.channel_groups import PAID, ChannelGroup, group_of

# group | source | medium | campaign
TABLE = """
Direct           | (direct)          | (none)              |
Direct           | (direct)          | (not set)           |
Cross-network    | google            | cpc                 | 2026 Cross-Network max
Cross-network    | news              | email               | cross-network
Paid Shopping    | amazon.com        | cpc                 |
Paid Shopping    | Google Shopping   | paid                |
Paid Shopping    | google            | cpc                 | spring shopping
Paid Shopping    | google            | ppc                 | shop sale
Paid Shopping    | newsletter        | retargeting         | web-shop
Paid Search      | google            | cpc                 |
Paid Search      | www.google.co.uk  | cpc                 |
Paid Search      | Yandex            | CPC                 | spring
Paid Search      | bing              | ppc                 |
Paid Search      | duckduckgo        | paid_search         |
Paid Search      | google            | cpm                 |
Paid Search      | google            | cpc                 | workshop
Paid Social      | facebook          | paid_social         |
Paid Social      | fb                | cpc                 |
Paid Social      | l.facebook.com    | paidsocial          |
Paid Social      | vk                | cpm                 |
Paid Social      | ig                | retargeting         |
Paid Video       | youtube           | cpv-cpc             |
Paid Video       | youtube.com       | paid                |
Paid Video       | rutube            | cpm                 |
Display          | shop-news.example | display             |
Display          | dv360             | Banner              |
Display          | dv360             | expandable          |
Display          | dv360             | interstitial        |
Display          | adnetwork         | cpm                 |
Display          | google            | display             |
Paid Other       | adnetwork         | cpc                 |
Paid Other       | quizpartner       | cpa-cpl             |
Paid Other       | partner           | paid                |
Paid Other       | chatgpt           | cpc                 |
Organic Shopping | ebay.de           | referral            |
Organic Shopping | google            | organic             | Shopping free listings
Organic Shopping | newsletter        | email               | shop
Organic Social   | t.co              | referral            |
Organic Social   | telegram          | organic             |
Organic Social   | blog              | social              |
Organic Social   | blog              | Social-Network      |
Organic Social   | blog              | social-media        |
Organic Social   | blog              | sm                  |
Organic Social   | blog              | social network      |
Organic Social   | blog              | social media        |
Organic Video    | youtube.com       | referral            |
Organic Video    | vimeo             | (not set)           |
Organic Video    | partner           | in-video-link       |
Organic Search   | google            | organic             |
Organic Search   | ya.ru             | referral            |
Organic Search   | someengine        | organic             |
Organic Search   | gmb               | listing             |
AI Assistant     | chatgpt           | ai-assistant        | (ai-assistant)
AI Assistant     | newassistant      | ai-assistant        | (ai-assistant)
AI Assistant     | chatgpt.com       | (not set)           |
AI Assistant     | perplexity.ai     | referral            |
Referral         | forum.example     | referral            |
Referral         | partner           | App                 |
Referral         | partner           | link                |
Referral         | myemail.example   | referral            |
Email            | newsletter        | email               |
Email            | newsletter        | E-Mail              |
Email            | newsletter        | e_mail              |
Email            | e mail            | spring              |
Email            | email             | (not set)           |
Affiliates       | admitad           | affiliate           |
Audio            | spotify           | audio               |
SMS              | sms               | text                |
SMS              | provider          | SMS                 |
Mobile Push      | firebase          | campaign            |
Mobile Push      | onesignal         | web-push            |
Mobile Push      | app               | mobile-app          |
Mobile Push      | app               | notification_center |
Unassigned       | newsletter        | (not set)           |
Unassigned       | (direct)          | flyer               |
Unassigned       | flyer             | offline             |
"""
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize(("group", "source", "medium", "campaign"), ROWS)
def test_a_visit_is_in_the_group_that_google_would_give_it(
    group: str, source: str, medium: str, campaign: str
) -> None:
    assert group_of(source, medium, campaign or None).value == group


def test_every_group_has_a_row_above() -> None:
    assert {row[0] for row in ROWS} == set(ChannelGroup)


def test_the_first_rule_that_fits_decides() -> None:
    order = list(dict.fromkeys(row[0] for row in ROWS))
    assert order == [each.value for each in ChannelGroup]


def test_what_is_paid_for_are_the_paid_groups_display_and_cross_network() -> None:
    named = {each for each in ChannelGroup if each.startswith("Paid")}
    assert named | {ChannelGroup.DISPLAY, ChannelGroup.CROSS_NETWORK} == PAID
