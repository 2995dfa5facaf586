"""Send e-mails: the page."""

from pages.parts.notebook import notebook
from pages.parts.send import FORM

notebook("send-emails", FORM)
