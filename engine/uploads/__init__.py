"""Lists from outside: an uploaded file or pasted text becomes a table, or an error that says what was found instead."""

from engine.uploads.matter import MATTERS, Expects, Matter, looks_like_domain
from engine.uploads.reader import read_file, read_text
from engine.uploads.upload import MAX_BYTES, Upload, no_column, sampled

__all__ = [
    "MATTERS",
    "MAX_BYTES",
    "Expects",
    "Matter",
    "Upload",
    "looks_like_domain",
    "no_column",
    "read_file",
    "read_text",
    "sampled",
]
