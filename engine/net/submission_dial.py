"""From a relay's name to a connection that takes letters: its addresses in turn, guarded, TLS, and the login."""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Sequence

from engine.errors import ForbiddenTarget, PostbenchError
from engine.net.guard import ATTEMPTS, Guard, Resolve, is_address, system_addresses
from engine.net.smtp_wire import Reply, Wire
from engine.net.smtp_wire import Trouble as Broken
from engine.net.submission import Receipt, Result, Trouble
from engine.net.submission_login import steps_for
from engine.net.submission_replies import Step, refusal
from engine.net.submission_session import Habits, Session, Waits
from engine.net.submission_url import Relay

ASK, PROCEED, WELCOME = 334, 220, 235


class Unavailable(PostbenchError):
    """The relay gives no connection on which letters could be handed over; `receipt` is what a letter gets for it."""

    def __init__(self, receipt: Receipt) -> None:
        self.receipt = receipt
        super().__init__(receipt.error)

    @classmethod
    def because(cls, trouble: Trouble, error: str) -> Unavailable:
        """Without a word of the server."""
        return cls(Receipt(Result.RETRY, error=error, trouble=trouble))


class Dialer:
    """Opens connections to one relay, greeting it as `helo`.

    Raises:
        ConfigError: the relay's file of authorities cannot be read.
    """

    def __init__(self, relay: Relay, guard: Guard, helo: str, waits: Waits, resolve: Resolve = system_addresses) -> None:
        self._relay, self._guard, self._helo, self._waits, self._resolve = relay, guard, helo, waits, resolve
        self._context = relay.context()
        self.habits = Habits()

    async def dial(self) -> Session:
        """A connection to the first of the relay's addresses that gives one.

        Raises:
            Unavailable: none does. Wrong logins and certificates end it at once: another address would say the same.
        """
        first: Unavailable | None = None
        guard, addresses = await self._addresses()
        for address in addresses:
            try:
                return await self._open(guard, address)
            except Unavailable as failure:
                if failure.receipt.trouble in (Trouble.LOGIN, Trouble.TLS):
                    raise
                first = first or failure
        assert first is not None
        raise first

    async def _addresses(self) -> tuple[Guard, Sequence[str]]:
        """The relay's permitted addresses, at least one, and the guard that lets them pass."""
        host, port = self._relay.host, self._relay.port
        try:
            async with asyncio.timeout(self._waits.connect):
                found = [host] if is_address(host) else list(await self._resolve(host))
        except (OSError, TimeoutError):
            found = []
        if not found:
            raise Unavailable.because(Trouble.CONNECTION, "the relay's name has no address, or it cannot be found out")
        guard = self._guard.found(host, port, found)
        permitted = guard.vetted(found, port)
        if not permitted:
            raise Unavailable.because(Trouble.CONNECTION, "the relay's address is private, and private networks are not allowed")
        return guard, permitted[:ATTEMPTS]

    async def _open(self, guard: Guard, address: str) -> Session:
        wire = await self._connect(guard, address)
        try:
            return await self._greeted(wire)
        except Broken as broken:
            raise Unavailable.because(Trouble.CONNECTION, f"the relay gave no connection: {broken}") from broken
        except BaseException:
            wire.abort()
            raise

    async def _connect(self, guard: Guard, address: str) -> Wire:
        try:
            return await Wire.of(*await guard.connect(address, self._relay.port, self._waits.connect))
        except ForbiddenTarget as error:
            raise Unavailable.because(Trouble.CONNECTION, str(error)) from error
        except TimeoutError as error:
            raise Unavailable.because(Trouble.CONNECTION, "the relay did not take the connection in time") from error
        except OSError as error:
            refused = error.errno == errno.ECONNREFUSED
            reason = "the relay refused the connection" if refused else "the relay is out of reach"
            raise Unavailable.because(Trouble.CONNECTION, reason) from error

    async def _greeted(self, wire: Wire) -> Session:
        """From the banner to the login. Raises `Unavailable`, or what the wire raises."""
        if self._relay.implicit:
            await self._encrypt(wire)
        banner = await self._reply(wire, Step.CONNECT)
        if banner.code != PROCEED:
            raise Unavailable(refusal(Step.CONNECT, banner))
        features = await self._hello(wire)
        if not wire.secure and "STARTTLS" in features:
            features = await self._secured(wire, features)
        if self._relay.needs_tls and not wire.secure:
            raise Unavailable.because(Trouble.TLS, self._in_clear())
        if self._relay.user:
            await self._login(wire, features)
        return Session(wire, features, self._waits, self.habits)

    def _in_clear(self) -> str:
        if self._relay.user:
            return "the relay offers no TLS, and the password is not sent in clear"
        return "the relay offers no TLS, and its certificate was to be verified"

    async def _hello(self, wire: Wire) -> dict[str, str]:
        """EHLO, or HELO where that is not known (RFC 5321 section 3.2); what the server offers."""
        wire.send(f"EHLO {self._helo}")
        reply = await self._reply(wire, Step.HELLO)
        if 500 <= reply.code < 600:
            wire.send(f"HELO {self._helo}")
            reply = Reply((await self._reply(wire, Step.HELLO)).code, ("",))
        if not 200 <= reply.code < 300:
            raise Unavailable(refusal(Step.HELLO, reply))
        # Old servers write AUTH=LOGIN.
        lines = (line.replace("=", " ", 1) if line.upper().startswith("AUTH=") else line for line in reply.lines[1:])
        features: dict[str, str] = {}
        for keyword, _, parameters in (line.strip().partition(" ") for line in lines):
            features[keyword.upper()] = f"{features.get(keyword.upper(), '')} {parameters}".strip()
        return features

    async def _secured(self, wire: Wire, features: dict[str, str]) -> dict[str, str]:
        """STARTTLS (RFC 3207); what is offered then. A refusal leaves it in clear, where that is allowed."""
        wire.send("STARTTLS")
        reply = await self._reply(wire, Step.TLS)
        if reply.code == PROCEED:
            await self._encrypt(wire)
            return await self._hello(wire)
        if self._relay.needs_tls or reply.code < 500:
            raise Unavailable(refusal(Step.TLS, reply))
        return features

    async def _encrypt(self, wire: Wire) -> None:
        try:
            await wire.encrypt(self._context, self._relay.host, asyncio.get_running_loop().time() + self._waits.connect)
        except Broken as broken:
            cause = broken.__cause__
            if isinstance(cause, ssl.SSLCertVerificationError):
                reason = f"the relay's certificate is not trusted: {cause.verify_message}"
            else:
                reason = f"no TLS with the relay: {broken}"
            # An interrupted handshake may go well the next time; a refused certificate will not.
            trouble = Trouble.TLS if isinstance(cause, ssl.SSLError) else Trouble.CONNECTION
            raise Unavailable.because(trouble, reason) from broken

    async def _login(self, wire: Wire, features: dict[str, str]) -> None:
        """AUTH (RFC 4954)."""
        if "AUTH" not in features:
            raise Unavailable.because(Trouble.LOGIN, "the relay offers no login")
        steps = steps_for(features["AUTH"].split(), self._relay.user, self._relay.password)
        if steps is None:
            raise Unavailable.because(Trouble.LOGIN, "the relay offers none of the logins we know (PLAIN, LOGIN, CRAM-MD5)")
        line = next(steps)
        while True:
            wire.send(line)
            reply = await self._reply(wire, Step.LOGIN)
            if reply.code == WELCOME:
                return
            try:
                line = steps.send(reply.text) if reply.code == ASK else ""
            except StopIteration:
                line = ""
            if not line:
                raise Unavailable(self._masked(refusal(Step.LOGIN, reply)))

    def _masked(self, receipt: Receipt) -> Receipt:
        """Without words of the server's that hold the password."""
        return Receipt(
            receipt.result,
            receipt.code,
            receipt.reply.replace(self._relay.password, "***"),
            receipt.error.replace(self._relay.password, "***"),
            trouble=receipt.trouble,
        )

    async def _reply(self, wire: Wire, step: Step) -> Reply:
        return await wire.reply(asyncio.get_running_loop().time() + self._waits.step, step.value)
