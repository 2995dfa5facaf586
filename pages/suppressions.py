"""Who gets no mail: the page."""

from pages.parts.suppressions import suppressed

suppressed()
