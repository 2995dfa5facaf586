"""The overview: what runs, what is done, how fast, and where to begin."""

from pages.parts.dashboard import dashboard

dashboard()
