"""An at sign and what stands on both sides of it: where does the address begin and end?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from engine.mail.address import Address
from engine.mail.page.judge import Judge

SEAM = "\x01"
"""Stands where the text of one inline element ends and that of another begins: there may or may not be a gap to see."""
REACH = 320
"""Characters that matter on each side of an at sign: a local part of 64, a domain of 253, and what stands before them."""
MAX_SIGNS = 20_000
"""At signs of one text that are looked at."""

_LONGEST_RUN = 128
_backwards = re.compile(rf"[\w.+'’&%\x01-]{{1,{_LONGEST_RUN}}}").match
_onwards = re.compile(rf"[\w.\x01-]{{1,{REACH}}}").match
# Read backwards from the local part: the user in `scheme://user:password@host`, or in an option `-x user:password@host`.
_in_authority = re.compile(r"[\w:.%~$&+-]{0,80}//|:[\w.%-]{1,64}[ =]\w[\w-]{0,20}-\s").match
# A path of a copy program (`user@host:dir/file`), a prompt (`user@host:~$`, `user@host ~]$`), or another at sign.
_spoiled = re.compile(r"@|:(?!//)[~\w.-]{0,64}[/~$]|://| [~/][\w./-]{0,60}\][$#]").match
# A command that brings packages, of which `name@tag` is one (`npm install pkg@next.dev`).
_installs = re.compile(
    r"(?<![\w-])(?:(?:npm|pnpm|yarn|bun) +(?:i|add|install|update|upgrade|up|create|init|exec|dlx|x|view|info)|npx|pnpx|bunx)"
    r" +(?:[\w@.^~/=-]+ +){0,12}[@\w/.-]*\Z"
).search
_LABELS = frozenset(
    "email e-mail mail contact kontakt contacto contatto courriel correo tel fax phone mobile web www to cc from".split()
)
_ODD_START = ".'’&%+-"
_latin = re.compile(r"[A-Za-z0-9_.+'&%\u00aa-\u024f-]+\Z").search
_escape_left = re.compile(r"(?:u00[0-9a-fA-F]{2}|x[0-9a-fA-F]{2}|[nrt])").match
# What is left of escapes of `<`, `>` and quotes where somebody took the backslash away.
_bare_escape = re.compile(r"u00(?:3[ceCE]|2[27])").match


def addresses_in(text: str, judge: Judge, limit: int = MAX_SIGNS) -> Iterator[Address]:
    """Every address in a text, one for each of its first `limit` at signs that has one around it."""
    place = text.find("@")
    while place >= 0 and limit > 0:
        found = around(text[max(0, place - REACH) : place], text[place + 1 : place + 1 + REACH], judge)
        if found is not None:
            yield found
        limit -= 1
        place = text.find("@", place + 1)


def around(before: str, after: str, judge: Judge) -> Address | None:
    """The address whose at sign stands between two texts, of which at most `REACH` characters matter."""
    run = _onwards(after)
    if run is None:
        return None
    domain, end = _domain(run.group(), judge)
    if not domain or _spoiled(after[end : end + 80]):
        return None
    reverse = before[: -REACH - 1 : -1]
    tail = _backwards(reverse)
    if tail is None:
        return None
    rest = reverse[tail.end() :]
    if rest[:1] == "@" or _in_authority(rest):
        return None
    local = _local(tail.group()[::-1], domain)
    if (escape := _escape_left(local) if rest[:1] == "\\" else _bare_escape(local)) is not None:
        local = local[escape.end() :]
    if not local or _is_package(before[: len(before) - tail.end()]):
        return None
    return judge.address(f"{local}@{domain}")


def _is_package(before: str) -> bool:
    """Whether what comes next is named in a command that brings packages."""
    near = before[-200:].replace(SEAM, " ")
    return ("npm" in near or "npx" in near or "yarn " in near or "bun" in near) and _installs(near) is not None


def _domain(run: str, judge: Judge) -> tuple[str, int]:
    """The domain at the start of a run, and how many of its characters it takes; over a seam only where it has to."""
    pieces = run.split(SEAM)
    own, domain = pieces[0], judge.domain_in(pieces[0])
    taken = len(own)
    for piece in pieces[1:]:
        longer = judge.domain_in(own + piece) if piece else domain
        needed = not domain or (piece[:1] == "." and piece[1:2].isalnum()) or (piece[:1].islower() and own[-1:] != ".")
        if piece and domain and not (needed and len(longer) > len(domain)):
            break
        own, domain, taken = own + piece, longer, taken + 1 + len(piece)
    return domain, min(taken, _end(run, len(domain)))


def _end(run: str, size: int) -> int:
    """Where the `size`-th character of a run ends, seams not counted."""
    for place, letter in enumerate(run, start=1):
        size -= letter != SEAM
        if size == 0:
            return place
    return len(run)


def _local(run: str, domain: str) -> str:
    """The local part at the end of a run."""
    pieces = run.split(SEAM)
    local = pieces.pop()
    while pieces and _continues(pieces[-1], local):
        local = pieces.pop() + local
    if "%" in local and "%" in (local := unquote(local)[-64:]):
        return ""
    local = _of_one_script(local.replace("’", "'"), domain)
    return local.lstrip(_ODD_START)


def _continues(piece: str, local: str) -> bool:
    """Whether a local part goes on to the left over a seam: it needs to, or no label (`Email`, `E-Mail:`) stands there."""
    if not local or not piece or local[0] in "._-+" or piece[-1] in "._-+":
        return True
    return piece == piece.lower() and piece not in _LABELS


def _of_one_script(local: str, domain: str) -> str:
    """Without what is glued to its left in a script without spaces; a local part in such a script has a domain in it too."""
    if local.isascii() or not domain.isascii():
        return local
    found = _latin(local)
    return found.group().lstrip("_") if found else ""
