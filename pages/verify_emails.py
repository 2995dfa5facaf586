"""Verify e-mails: the page."""

from pages.parts.notebook import notebook
from pages.parts.verify import FORM

notebook("verify-emails", FORM)
