"""AI-generate: the page."""

from pages.parts.ai_generate import FORM
from pages.parts.notebook import notebook

notebook("ai-generate", FORM)
