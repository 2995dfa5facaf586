"""What is known of addresses: the page."""

from pages.parts.known import known

known()
