"""A Postfix of the lab: Debian's, as a private instance on 127.0.0.1 with folders of its own; nothing leaves the machine.

with Postfix(users=["jane@users.test"], catch_alls=["everyone.test"]) as postfix:      # needs root and the package
    connect("127.0.0.1", postfix.port)
    postfix.messages("jane@users.test")                # what was delivered to her, as bytes
    postfix.log()                                      # its log, for a failing test
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.certificates import self_signed
from tests.lab.running import HOST, PATIENCE, free_port

COMMAND = shutil.which("postfix") or next((path for path in ("/usr/sbin/postfix",) if Path(path).exists()), None)
NAME = "mx.postfix.test"
_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = {name}
mydestination =
inet_interfaces = {host}
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
biff = no
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_chain_files = {folder}/server.pem
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 100
message_size_limit = 10240000
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = {users}
virtual_mailbox_base = {folder}/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unlisted_recipient, check_recipient_access {answers}
default_transport = error:5.1.2 nothing leaves the lab
relay_transport = error:5.1.2 nothing leaves the lab
"""
_MASTER = """
{host}:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
"""


def missing() -> str:
    """Why no Postfix can be run here; "" when one can."""
    if COMMAND is None:
        return "Postfix is not installed"
    if os.geteuid() != 0:
        return "a private Postfix needs root: its daemons change to users of their own"
    return ""


class Postfix:
    """Takes mail for `users` (addresses), and for any local part of the `catch_alls` domains; refuses the other users.

    `answers` are replies by recipient, such as `{"full@users.test": "452 4.2.2 mailbox full"}`: of users, that is. `settings` are
    further lines of its main.cf by name.
    """

    def __init__(
        self,
        users: Sequence[str],
        catch_alls: Sequence[str] = (),
        answers: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.users, self.catch_alls = tuple(users), tuple(catch_alls)
        self.answers, self.settings = dict(answers or {}), dict(settings or {})
        self.port = 0
        self.folder = Path()

    def start(self) -> Self:
        """Write its configuration, start it, and wait until it listens."""
        # Its users must be able to pass through every folder above theirs, so this is none of the test's private ones.
        self.folder = Path(tempfile.mkdtemp(prefix="postfix-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        try:
            self._configure()
            self._run("check")
            self._run("start")
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End all its processes and remove its folders."""
        if (self.folder / "conf").is_dir() and self._run("status", check=False) == 0:
            self._run("stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def messages(self, address: str) -> list[bytes]:
        """What was delivered to the address, or to any of a catch-all domain (`@domain`), in order."""
        inbox = self.folder / "mail" / address / "new"
        return [path.read_bytes() for path in sorted(inbox.iterdir())] if inbox.is_dir() else []

    def log(self) -> str:
        """What it has written to its log."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _configure(self) -> None:
        owner = pwd.getpwnam("postfix")
        for name in ("conf", "queue", "data", "mail"):
            (self.folder / name).mkdir()
        for name in ("data", "mail"):
            os.chown(self.folder / name, owner.pw_uid, owner.pw_gid)
        pem = self.folder / "server.pem"
        pem.touch(0o600)
        pem.write_bytes(self_signed(NAME))
        keys = [*self.users, *(f"@{domain}" for domain in self.catch_alls)]
        main = _MAIN.format(
            folder=self.folder,
            name=NAME,
            host=HOST,
            domains=" ".join(sorted({key.rpartition("@")[2] for key in keys})),
            users=_inline({key: f"{key}/" for key in keys}),
            answers=_inline(self.answers or {"nobody@invalid": "OK"}),
            uid=owner.pw_uid,
            gid=owner.pw_gid,
        )
        further = "".join(f"{name} = {value}\n" for name, value in self.settings.items())
        (self.folder / "conf" / "main.cf").write_text(main + further)
        (self.folder / "conf" / "master.cf").write_text(_MASTER.format(host=HOST, port=self.port))

    def _run(self, what: str, check: bool = True) -> int:
        assert COMMAND is not None, missing()
        command = [COMMAND, "-c", str(self.folder / "conf"), what]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        if check and done.returncode:
            raise AssertionError(f"postfix {what} failed: {done.stdout}{done.stderr}{self.log()}")
        return done.returncode

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with socket.create_connection((HOST, self.port), timeout=PATIENCE) as connection:
                    if connection.recv(4).startswith(b"220"):
                        return
            except ConnectionRefusedError:
                pass
            assert time.monotonic() < until, f"Postfix does not answer: {self.log()}"
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _inline(table: Mapping[str, str]) -> str:
    """A lookup table within the configuration (inline_table in Postfix's DATABASE_README)."""
    return "inline:{" + ", ".join(f"{{ {key} = {value} }}" for key, value in table.items()) + "}"
