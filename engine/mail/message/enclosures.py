"""Files that go with every message: checked, and encoded once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Protocol

from engine.errors import InvalidInput, Problem
from engine.mail.message.recipients import is_unsafe

MAX_ATTACHMENTS_BYTES = 10_000_000
"""Bytes of all files together, before they are encoded."""
MAX_FILE_NAME = 200

# Types are said by the name: a browser's own guess differs from machine to machine.
_TYPES = {
    "bmp": "image/bmp", "csv": "text/csv", "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "eml": "application/octet-stream",
    "gif": "image/gif", "gz": "application/gzip", "heic": "image/heic",
    "htm": "text/html", "html": "text/html", "ics": "text/calendar",
    "jpeg": "image/jpeg", "jpg": "image/jpeg", "json": "application/json", "mp3": "audio/mpeg", "mp4": "video/mp4",
    "odp": "application/vnd.oasis.opendocument.presentation", "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text", "pdf": "application/pdf", "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation", "rtf": "application/rtf",
    "svg": "image/svg+xml", "tif": "image/tiff", "tiff": "image/tiff", "txt": "text/plain",
    "vcf": "text/vcard", "wav": "audio/wav", "webp": "image/webp", "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xml": "application/xml",
    "zip": "application/zip",
}  # fmt: skip
_DANGEROUS = frozenset(
    """
    ade adp app appx bat chm cmd com cpl dll dmg exe hta inf ins iso isp jar js jse lib lnk mde msc msi msix msp mst nsh pif ps1
    reg scf scr sct sh shb sys url vb vbe vbs vhd vxd wsc wsf wsh
    """.split()
)
"""What mail providers turn away, and what starts a program (https://support.google.com/mail/answer/6590)."""
_DECLARED = re.compile(r"(?!message/|multipart/)[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}").fullmatch


class File(Protocol):
    """A file as it is stored."""

    @property
    def name(self) -> str:
        """Its name, without a folder."""

    @property
    def content_type(self) -> str:
        """Its declared media type; may be empty."""

    @property
    def payload(self) -> bytes:
        """What is in it."""


def enclosed(files: Sequence[File], field: str = "attachments") -> tuple[bytes, ...]:
    """The files as MIME parts, for `compose`.

    Raises:
        InvalidInput: a name that is no file's or a program's, or more than `MAX_ATTACHMENTS_BYTES` in all.
    """
    problems = [Problem(f"{field}.{n}.name", flaw) for n, file in enumerate(files) if (flaw := name_flaw(file.name))]
    if sum(len(file.payload) for file in files) > MAX_ATTACHMENTS_BYTES:
        problems.append(Problem(field, f"The files have more than {MAX_ATTACHMENTS_BYTES // 1_000_000} MB together"))
    if problems:
        raise InvalidInput(problems)
    return tuple(_part(file) for file in files)


def name_flaw(name: str) -> str:
    """Why a file of this name can't be attached, "" where it can."""
    if not name.strip(" .") or len(name) > MAX_FILE_NAME:
        return f"A file has a name of at most {MAX_FILE_NAME} characters"
    if is_unsafe(name) or re.search(r'[/\\:*?"<>|]', name) or name.startswith("."):
        return "A file's name has no control characters, none of / \\ : * ? \" < > |, and no dot in front"
    if _ending(name) in _DANGEROUS:
        return "Programs can't be attached: mail providers turn such messages away"
    return ""


def content_type(file: File) -> str:
    """The media type by the file's name, or the declared one where the name says nothing."""
    declared = file.content_type.strip().lower()
    return _TYPES.get(_ending(file.name)) or (declared if _DECLARED(declared) else "application/octet-stream")


def _ending(name: str) -> str:
    return name.rstrip(" .").rpartition(".")[2].lower()


def _part(file: File) -> bytes:
    """The part with its name as RFC 2231 wants it; it ends with a line end."""
    part = EmailMessage(policy=SMTP)
    main, _, sub = content_type(file).partition("/")
    part.set_content(file.payload, maintype=main, subtype=sub, cte="base64", disposition="attachment", filename=file.name)
    del part["MIME-Version"]
    return part.as_bytes()
