"""Scrape e-mails: the page."""

from pages.parts.notebook import notebook
from pages.parts.scrape import FORM

notebook("scrape-emails", FORM)
