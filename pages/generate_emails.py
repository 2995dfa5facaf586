"""Generate e-mails: the page."""

from pages.parts.generate import FORM
from pages.parts.notebook import notebook

notebook("generate-emails", FORM)
