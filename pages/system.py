"""The system: engines, database, settings."""

from pages.parts.machine import machine

machine()
