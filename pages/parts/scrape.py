"""The form of scrape-emails: domains, and how much of each site to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.jobs.scrape_emails import Params
from pages.parts.form import Form, Onward, Raw, Slots
from pages.parts.listing import Listing
from pages.parts.pages_field import PagesField
from pages.parts.topics import DOMAINS
