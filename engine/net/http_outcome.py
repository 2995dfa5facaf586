"""What comes of a fetch, in one word and one sentence."""

from __future__ import annotations

from enum import StrEnum

CLOSED = "the fetcher was closed meanwhile"


class Outcome(StrEnum):
    """What came of a fetch."""

    OK = "ok"
    BLOCKED_BY_ROBOTS = "blocked_by_robots"
    """robots.txt forbids it, or could not be read because of an error of the server."""
    REFUSED = "refused"
    """A private address, another port or scheme, a malformed URL; or the server says 401, 403 or 451."""
    UNREACHABLE = "unreachable"
    """No address, no connection, no valid certificate, or no answer that can be understood."""
    SLOW = "slow"
    """It was not there when the time was up."""
    TOO_BIG = "too_big"
    WRONG_TYPE = "wrong_type"
    """Not of the kinds asked for, or in a compression that was not asked for."""
    HTTP_ERROR = "http_error"
    """Another status than 2xx, a redirect or a refusal."""
    REDIRECT_LOOP = "redirect_loop"
    """Redirects that come back, or too many of them."""


class Trouble(Exception):
    """A fetch ends here; raised within the door only. The message is the sentence that its result shows.

    `status` is the HTTP status, if it came that far.
    """

    def __init__(self, outcome: Outcome, message: str) -> None:
        self.outcome, self.status = outcome, 0
        super().__init__(message)
