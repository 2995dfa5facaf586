"""What a relay's replies mean for the letter that is being handed over."""

from __future__ import annotations

import re
from enum import StrEnum

from engine.mail.evidence import Answer
from engine.mail.replies import classify, enhanced_code
from engine.net.smtp_wire import Reply, printable
from engine.net.submission import Receipt, Result, Trouble

CLOSING = 421
"""RFC 5321 section 3.8: the server closes the connection; it may answer any command."""
_LOGIN_CODES = frozenset({530, 534, 535, 538})
"""RFC 4954 section 6: authentication required, mechanism too weak, credentials invalid, encryption required."""
_SENDER_CODES = frozenset({550, 551, 553, 554})
"""To MAIL these are about the address; the others are about size, syntax or parameters."""
_NOT_FOR_US = re.compile(
    r"relay(?:ing)? (?:access |is )?(?:denied|not (?:permitted|allowed)|prohibited)|(?:unable|not permitted|not allowed) to relay"
    r"|authentication (?:is )?required|must (?:be )?authenticate|authenticate first|log ?in first",
    re.IGNORECASE,
)
_HARD = frozenset({Answer.NOT_FOUND, Answer.DISABLED, Answer.NO_MAIL})
_ABOUT_MAILBOX = ("5.1.", "5.2.1")


class Step(StrEnum):
    """What a reply answers; the value says what was refused then."""

    CONNECT = "the connection"
    HELLO = "our name"
    TLS = "TLS"
    LOGIN = "the login"
    MAIL = "the sender"
    RCPT = "the recipient"
    DATA = "the message before it was sent"
    DOT = "the message"


_ABOUT_US = frozenset({Step.CONNECT, Step.HELLO, Step.TLS, Step.LOGIN})


def refusal(step: Step, reply: Reply, proven: bool = False) -> Receipt:
    """What a reply other than the hoped-for one means.

    `proven` says that the relay has taken recipients from us: a refusal to relay is then about this recipient (a server further
    on may have said it), and before that about us.

    A 4yz may pass, a 5yz will not (RFC 5321 section 4.2.1); whatever is said before MAIL concerns us and not the letter, which
    may go out once that is mended. Any other code breaks the protocol at this step.
    """
    text = printable(reply.text)
    result, trouble = _meaning(step, reply.code, text, proven)
    verb = "refused" if reply.code >= 500 else "put off" if reply.code >= 400 else "did not understand"
    error = f"the relay is closing ({text or CLOSING})" if trouble is Trouble.CLOSING else f"the relay {verb} {step.value}"
    return Receipt(result, reply.code, text, error, result is Result.FAILED and _is_hard(step, reply), trouble)


def _is_hard(step: Step, reply: Reply) -> bool:
    """Whether a refusal says that the mailbox is gone.

    After the message most refusals are about what is in it, in words of all kinds ("contains invalid recipients"): there only a
    code about the mailbox counts (RFC 3463 sections 3.2 and 3.3).
    """
    if step is Step.DOT and not enhanced_code(reply.text).startswith(_ABOUT_MAILBOX):
        return False
    return step in (Step.RCPT, Step.DOT) and classify(reply.code, reply.text) in _HARD


def _meaning(step: Step, code: int, text: str, proven: bool) -> tuple[Result, Trouble]:
    if code == CLOSING:
        return Result.RETRY, Trouble.CLOSING
    if code >= 500 and (step is Step.LOGIN or code in _LOGIN_CODES):
        return Result.RETRY, Trouble.LOGIN
    if step is Step.TLS and code >= 500:
        return Result.RETRY, Trouble.TLS
    if step in _ABOUT_US or code < 400:
        return Result.RETRY, Trouble.CONNECTION
    if code < 500:
        return Result.RETRY, Trouble.NONE
    if step in (Step.MAIL, Step.RCPT) and not proven and _NOT_FOR_US.search(text):
        return Result.RETRY, Trouble.LOGIN
    if step is Step.MAIL and code in _SENDER_CODES:
        return Result.FAILED, Trouble.SENDER
    return Result.FAILED, Trouble.NONE
