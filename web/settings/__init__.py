"""The settings in the page: what the command line configures of a company, by the same services.

One module a thing; `room` knows the company that an address names and who may change it, `forms` what was
typed and what was refused of it.
"""

from web.settings import channels, company, numbers, pools, sites

BLUEPRINTS = (company.pages, numbers.pages, channels.pages, pools.pages, sites.pages)
