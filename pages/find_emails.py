"""Find e-mails: the page."""

from pages.parts.find import FORM
from pages.parts.notebook import notebook

notebook("find-emails", FORM)
