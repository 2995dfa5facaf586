"""Workbooks (XLSX, XLSB, XLS, ODS): read in a process of its own, within bounds of size, memory and time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from engine.uploads.kinds import Kind, workbook_size
from engine.uploads.upload import EXPECTED, refusal

MAX_UNPACKED = 2 << 30
"""How much the archive of a workbook may unpack to, in bytes."""
SECONDS = 180.0
_READER = Path(__file__).with_name("sheet_process.py")
_WORDS = {
    "empty": "The workbook has no filled cell",
    "password": "The workbook is protected by a password; save it without one",
    "large": "The workbook needs too much memory; save the sheet as CSV",
}
_DAMAGED = "The workbook is damaged, or needs more memory than is allowed; save it anew or as CSV"


def read_workbook(data: bytes, kind: Kind, notes: list[str]) -> pa.Table:
    """Nameless columns of text from the first sheet with content.

    Raises:
        InvalidInput: it is damaged, protected, empty, or too large.
    """
    if kind is not Kind.XLS and workbook_size(data) > MAX_UNPACKED:
        raise refusal(f"The workbook unpacks to more than {MAX_UNPACKED >> 30} GB; save the sheet as CSV.")
    try:
        done = subprocess.run([sys.executable, "-P", str(_READER)], input=data, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise refusal(f"The workbook was not read within {SECONDS:.0f} seconds; save the sheet as CSV.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace") if done.returncode == 3 else ""
        raise refusal(f"{_WORDS.get(said, _DAMAGED)}; {EXPECTED}.")
    table = pa.ipc.open_stream(done.stdout).read_all()
    about = {name.decode(): value.decode() for name, value in (table.schema.metadata or {}).items()}
    if int(about["sheets"]) > 1:
        notes.append(f"Sheet '{about['sheet']}' of {about['sheets']}; the others are not read")
    return table.replace_schema_metadata(None)
