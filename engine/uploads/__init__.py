"""Lists from outside: an uploaded file or pasted text becomes a table, or an error that says what was found instead."""

from engine.uploads.reader import read_file, read_text
from engine.uploads.upload import MAX_BYTES, Upload, no_column

__all__ = ["MAX_BYTES", "Upload", "no_column", "read_file", "read_text"]
