"""From a mail exchanger's name to a greeted connection: its addresses in turn, guarded, with TLS where offered."""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Sequence
from typing import Protocol

import structlog

from engine.errors import ForbiddenTarget
from engine.mail.evidence import Answer
from engine.net.guard import Guard
from engine.net.smtp_dialogue import CLOSING, Dialogue, Handshake, Identity, Patience
from engine.net.smtp_pacing import Egress
from engine.net.smtp_wire import Trouble, Wire

MAX_ADDRESSES = 4
"""Addresses of one exchanger that are tried for one connection."""
PORT_BLOCKED = "connections to port {port} seem to be blocked from this machine"
PRIVATE = "the exchanger's address is private"
_OUT_OF_REACH = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.ETIMEDOUT}
log = structlog.get_logger()


class Addresses(Protocol):
    """What is needed of a resolver."""

    async def addresses(self, host: str) -> tuple[str, ...]:
        """The addresses of a host; none when it has none or they cannot be found out."""
        ...


class Unreached(Trouble):
    """No connection came about: the exchanger is of no use for now."""


class Dialer:
    """Opens connections. `port` is the exchangers' port; one `Egress` finds out whether it is blocked for all of them."""

    def __init__(self, resolver: Addresses, guard: Guard, port: int, me: Identity, patience: Patience) -> None:
        self._resolver, self._guard, self._port, self._me, self._patience = resolver, guard, port, me, patience
        self._context: ssl.SSLContext | None = None
        self.egress = Egress()

    async def dial(self, host: str, until: float, *, tls: bool, prefer: str = "") -> Dialogue:
        """A greeted connection to one of the host's addresses, `prefer` first.

        Raises:
            Unreached: none of them could be connected.
            Trouble: one was, but none greeted us.
        """
        loop = asyncio.get_running_loop()
        if not self.egress.permits(loop.time()):
            raise Unreached(Answer.NO_CONNECTION, self.blocked_message)
        reached: Trouble | None = None
        unreached: Trouble | None = None
        out_of_reach = True
        for ip in await self._addresses(host, until, prefer):
            try:
                return await self._greeted(host, ip, until, tls)
            except Unreached as trouble:
                unreached = unreached or trouble
                out_of_reach &= _is_out_of_reach(trouble.__cause__)
            except Trouble as trouble:
                reached = reached or trouble
        if reached is None and out_of_reach and self.egress.failed(host, loop.time()):
            log.warning("probes_blocked", reason=self.blocked_message)
        raise reached or unreached or Unreached(Answer.NO_CONNECTION, "the exchanger has no address")

    @property
    def blocked_message(self) -> str:
        """What is answered while the port seems to be blocked."""
        return PORT_BLOCKED.format(port=self._port)

    async def _addresses(self, host: str, until: float, prefer: str) -> Sequence[str]:
        """The addresses worth a try, at least one."""
        try:
            async with asyncio.timeout_at(until):
                found = await self._resolver.addresses(host)
        except TimeoutError:
            raise Trouble(Answer.TIMEOUT, "the exchanger's address could not be found out in time") from None
        if not found:
            raise Unreached(Answer.NO_CONNECTION, "the exchanger has no address")
        permitted = self._guard.vetted(found)
        if not permitted:
            raise Unreached(Answer.NO_CONNECTION, PRIVATE)
        return sorted(permitted, key=lambda ip: ip != prefer)[:MAX_ADDRESSES]

    async def _greeted(self, host: str, ip: str, until: float, tls: bool) -> Dialogue:
        """A connection to this address, without TLS where that fails."""
        try:
            return await self._open(host, ip, until, self._tls() if tls else None)
        except Handshake:
            return await self._open(host, ip, until, None)

    async def _open(self, host: str, ip: str, until: float, context: ssl.SSLContext | None) -> Dialogue:
        wire = await Wire.of(*await self._connect(ip, until))
        dialogue = Dialogue(wire, self._me, self._patience.step, ip)
        try:
            await dialogue.greet(until, context, host)
        except Trouble as trouble:
            if trouble.reply is None or trouble.reply.code == CLOSING:
                dialogue.drop()
            else:
                await dialogue.leave()
            raise
        except BaseException:
            dialogue.drop()
            raise
        return dialogue

    async def _connect(self, ip: str, until: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        patience = min(self._patience.step, until - asyncio.get_running_loop().time())
        try:
            connection = await self._guard.connect(ip, self._port, patience)
        except ForbiddenTarget as error:
            raise Unreached(Answer.NO_CONNECTION, PRIVATE) from error
        except TimeoutError as error:
            raise Unreached(Answer.TIMEOUT, "the exchanger did not take the connection in time") from error
        except OSError as error:
            refused = error.errno == errno.ECONNREFUSED
            message = "the exchanger refused the connection" if refused else "the exchanger is out of reach"
            raise Unreached(Answer.NO_CONNECTION, message) from error
        self.egress.reached()
        return connection

    def _tls(self) -> ssl.SSLContext:
        """Opportunistic TLS: against listeners, not against impostors, so no certificate is verified (RFC 7435)."""
        if self._context is None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE
        return self._context


def _is_out_of_reach(error: BaseException | None) -> bool:
    """Whether the network, not the exchanger, failed to make the connection."""
    return isinstance(error, TimeoutError) or (isinstance(error, OSError) and error.errno in _OUT_OF_REACH)
