"""What the Python client says about sending: who gets no mail, what became of messages, and what is to be done in doubt."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("email", "address")
"""Where a table has its addresses."""


class Calls(Protocol):
    """A client that makes the calls."""

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """One call below `/api`; the parsed answer."""

    def pages(self, path: str, filters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The answers of a list, page by page."""

    def download(self, path: str, write: Callable[[bytes], object]) -> None:
        """Hand on the bytes of a file below `/api`."""


class ListCalls:
    """The calls of a client about the list of suppressed addresses."""

    def suppressions(self: Calls, q: str | None = None, source: str | None = None) -> pd.DataFrame:
        """Who gets no mail and why, newest first; `q` is a part of the address, `source` the way it came onto the list."""
        import pyarrow.parquet as pq

        filters = {name: value for name, value in (("q", q), ("source", source)) if value}
        whole = BytesIO()
        self.download(f"/suppressions.parquet?{urlencode(filters)}", whole.write)
        whole.seek(0)
        return pq.read_table(whole).to_pandas()

    def suppress(self: Calls, addresses: Any, reason: str = "") -> dict[str, int]:
        """Write to these no more: one address, a list, a Series, or a DataFrame with a column `email` or `address`.

        Returns how many were `added`, `known` already, and `notAddresses`. Whoever is on the list keeps the first reason.

        Raises:
            ClientError: none of them is an address.
        """
        answer = self.call("POST", "/suppressions", json={"addresses": _texts(addresses), "reason": reason})
        return {name: answer[name] for name in ("added", "known", "notAddresses")}

    def unsuppress(self: Calls, address: str, reason: str) -> None:
        """Take an address off the list; the reason is kept in its history.

        Raises:
            ClientError: 404, it is not on the list.
        """
        self.call("DELETE", f"/suppressions/{quote(address, safe='@')}", params={"reason": reason})


class DeliveryCalls:
    """The calls of a job that sends."""

    client: Any
    id: str
    type: str | None

    def deliveries(self, state: str | None = None, q: str | None = None) -> pd.DataFrame:
        """What became of each message so far; `state` such as `in_doubt`, `q` a part of the recipient's address."""
        import pandas as pd

        filters = {"state": state, "q": q, "limit": 500}
        return pd.DataFrame(
            [row for page in self.client.pages(f"/jobs/{self.id}/deliveries", filters) for row in page["deliveries"]]
        )

    def treat_as_sent(self, recipients: Any = None) -> int:
        """Count messages in doubt as sent, all of them or those to these recipients; returns how many."""
        return int(self._decide("treatAsSent", recipients)["count"])

    def resend(self, recipients: Any = None) -> Self:
        """A new job that sends the messages in doubt again, all of them or those to these recipients.

        Raises:
            ClientError: 409, none is in doubt, or they are being sent again already.
        """
        key = {"Idempotency-Key": uuid.uuid4().hex}
        made: Self = type(self)(self.client, self._decide("resend", recipients, headers=key)["jobId"], self.type)  # type: ignore[call-arg]
        return made

    def _decide(self, action: str, recipients: Any, **options: Any) -> dict[str, Any]:
        body: dict[str, Any] = {"action": action}
        if recipients is not None:
            body["recipients"] = _texts(recipients)
        answer: dict[str, Any] = self.client.call("POST", f"/jobs/{self.id}/in-doubt", json=body, **options)
        return answer


def _texts(addresses: Any) -> list[Any]:
    """Addresses of whatever kind as a list for JSON."""
    if isinstance(addresses, str):
        return [addresses]
    if hasattr(addresses, "to_pandas"):  # Arrow
        addresses = addresses.to_pandas()
    if hasattr(addresses, "columns"):
        found = [name for name in _COLUMNS if name in addresses.columns]
        if not found:
            raise ValueError(f"the table has no column {' or '.join(_COLUMNS)}; give the column with the addresses itself")
        addresses = addresses[found[0]]
    values = addresses.tolist() if hasattr(addresses, "tolist") else list(addresses)
    return [value if isinstance(value, str) else None for value in values]
