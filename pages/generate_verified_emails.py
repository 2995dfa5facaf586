"""Generate verified e-mails: the page."""

from pages.parts.generate_verified import FORM
from pages.parts.notebook import notebook

notebook("generate-verified-emails", FORM)
