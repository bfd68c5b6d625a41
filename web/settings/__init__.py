"""The settings in the page: what the command line configures of a company, by the same services.

One module a thing; `room` knows the company that an address names and who may change it, `forms` what was
typed and what was refused of it.
"""

from web.settings import channels, company, forwarding, numbers, pools, sites, targets, trunks

BLUEPRINTS = tuple(
    each.pages for each in (company, numbers, channels, pools, sites, targets, forwarding, trunks)
)
