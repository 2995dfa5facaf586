"""Postboxes: one suite over the Maildir, the IMAP folder and the fake, then what is special about each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.mail.bounces_mime import LONGEST
from engine.net.guard import Guard
from engine.net.postbox import FakePostbox, MaildirPostbox, Postbox, Unavailable
from engine.net.postbox_imap import ImapPostbox, folder_name
from engine.net.postbox_url import Mailbox, mailbox_of, postbox
from tests.lab.certificates import self_signed
from tests.lab.imap import LabImap

FIRST, SECOND = b"Subject: one\r\n\r\none\r\n", b"Subject: two\r\n\r\n\xff\x00two\r\n"


class Kind(NamedTuple):
    """A kind of postbox: opens one more on the same messages, and puts a message in."""

    open: Callable[[], Postbox]
    add: Callable[[bytes], object]


@pytest.fixture
def imap() -> Iterator[LabImap]:
    with LabImap(tls=True) as server:
        yield server


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def url_of(server: LabImap, more: str = "?verify=off") -> str:
    scheme = "imaps" if server.tls else "imap"
    return f"{scheme}://{quote(server.user)}:{quote(server.password, safe='')}@{server.host}:{server.port}/{more}"


@pytest.fixture(params=["maildir", "imap", "fake"])
def kind(request: pytest.FixtureRequest) -> Kind:
    if request.param == "imap":
        server: LabImap = request.getfixturevalue("imap")
        return Kind(lambda: postbox(url_of(server)), server.add)
    if request.param == "maildir":
        folder: Path = request.getfixturevalue("maildir")
        return Kind(lambda: postbox(f"maildir:{folder}"), lambda data: deliver(folder, data))
    fake = FakePostbox()
    return Kind(lambda: fake, lambda data: fake.messages.update({str(len(fake.messages)): data}))


def deliver(folder: Path, data: bytes) -> Path:
    """A message delivered as a Maildir's rules say."""
    path = folder / "new" / f"{1000 + len(list((folder / 'new').iterdir()))}.M1P1.host"
    path.write_bytes(data)
    return path


async def test_new_messages_are_fetched_until_they_are_done(kind: Kind) -> None:
    box = kind.open()
    assert await box.fetch() == []
    kind.add(FIRST)
    kind.add(SECOND)
    fetched = await box.fetch()
    assert [data for _, data in fetched] == [FIRST, SECOND]
    assert await box.fetch() == fetched, "what is fetched and not done is fetched again"
    await box.done([fetched[0][0]])
    assert await box.fetch() == fetched[1:]
    await box.done([key for key, _ in fetched])
    assert await box.fetch() == []
    await box.close()


async def test_no_more_than_the_limit_comes_at_once(kind: Kind) -> None:
    for _ in range(5):
        kind.add(FIRST)
    box = kind.open()
    first = await box.fetch(3)
    await box.done([key for key, _ in first])
    assert (len(first), len(await box.fetch(3))) == (3, 2)
    await box.close()


async def test_of_a_long_message_only_the_beginning_is_fetched(kind: Kind) -> None:
    kind.add(b"x" * (LONGEST + 5_000))
    box = kind.open()
    [(_, data)] = await box.fetch()
    assert data == b"x" * LONGEST
    await box.close()


async def test_two_readers_see_the_same_keys_and_may_both_be_done(kind: Kind) -> None:
    kind.add(FIRST)
    one, other = kind.open(), kind.open()
    fetched = await one.fetch()
    assert await other.fetch() == fetched
    await one.done([key for key, _ in fetched])
    await other.done([key for key, _ in fetched])
    assert await other.fetch() == []
    await one.close()
    await other.close()


async def test_a_closed_postbox_may_be_used_again(kind: Kind) -> None:
    box = kind.open()
    await box.close()
    kind.add(FIRST)
    assert len(await box.fetch()) == 1
    await box.close()
    await box.close()


class TestMaildir:
    async def test_read_messages_lie_in_cur_with_the_flag_for_seen(self, maildir: Path) -> None:
        path = deliver(maildir, FIRST)
        box = MaildirPostbox(maildir)
        await box.done([key for key, _ in await box.fetch()])
        assert [found.name for found in (maildir / "cur").iterdir()] == [f"{path.name}:2,S"]

    async def test_links_pipes_and_hidden_files_are_no_messages(self, maildir: Path, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("secret")
        (maildir / "new" / "1.link").symlink_to(secret)
        os.mkfifo(maildir / "new" / "2.pipe")
        (maildir / "new" / "3.folder").mkdir()
        (maildir / "new" / ".hidden").write_text("x")
        deliver(maildir, FIRST)
        assert [data for _, data in await MaildirPostbox(maildir).fetch(1)] == [FIRST]

    async def test_a_missing_folder_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="nowhere"):
            await MaildirPostbox(tmp_path / "nowhere").fetch()


class TestImap:
    async def test_read_messages_are_seen_and_reading_alone_marks_nothing(self, imap: LabImap) -> None:
        uid = imap.add(FIRST)
        box = postbox(url_of(imap))
        fetched = await box.fetch()
        assert imap.seen() == []
        await box.done([key for key, _ in fetched])
        assert imap.seen() == [uid]
        await box.close()
        assert imap.commands["LOGOUT"] == 1

    async def test_it_logs_in_where_only_login_is_known(self) -> None:
        with LabImap(tls=True, plain=False) as server:
            server.user, server.password = 'od"d\\', 'p"a\\ss'
            box = postbox(url_of(server))
            assert await box.fetch() == []
            assert (server.commands["LOGIN"], server.commands["AUTHENTICATE"]) == (1, 0)
            await box.close()

    @pytest.mark.parametrize("plain", [True, False])
    async def test_a_refused_login_is_said_without_the_password(self, imap: LabImap, plain: bool) -> None:
        imap.plain, url = plain, url_of(imap)
        imap.password = "another"
        with pytest.raises(Unavailable, match="login was refused") as caught:
            await postbox(url).fetch()
        assert "s3cret" not in str(caught.value)

    async def test_an_untrusted_certificate_is_refused_and_an_authority_may_be_named(self, imap: LabImap, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="certificate"):
            await postbox(url_of(imap, "")).fetch()
        other = tmp_path / "other.pem"
        other.write_bytes(self_signed())
        with pytest.raises(Unavailable, match="certificate"):
            await postbox(url_of(imap, f"?ca={other}")).fetch()
        assert imap.commands["AUTHENTICATE"] == 0

    async def test_on_this_machine_it_may_be_in_clear(self) -> None:
        with LabImap() as server:
            server.add(FIRST)
            box = postbox(url_of(server, ""))
            assert len(await box.fetch()) == 1
            await box.close()

    async def test_elsewhere_it_says_no_password_without_tls(self) -> None:
        with LabImap() as server:
            box = elsewhere(server)
            with pytest.raises(Unavailable, match="STARTTLS"):
                await box.fetch()
            assert server.commands.keys() == {"CAPABILITY"}

    async def test_elsewhere_it_begins_tls_first(self) -> None:
        with LabImap(starttls=True) as server:
            server.add(FIRST)
            box = elsewhere(server)
            assert len(await box.fetch()) == 1
            assert server.secured == 1
            await box.close()

    async def test_another_folder_is_opened_by_its_name(self, imap: LabImap) -> None:
        imap.folder = "R&APw-ckl&AOQ-ufer &- mehr"
        imap.add(FIRST)
        box = postbox(url_of(imap, quote("Rückläufer & mehr") + "?verify=off"))
        assert len(await box.fetch()) == 1
        await box.close()

    async def test_a_missing_folder_is_said(self, imap: LabImap) -> None:
        with pytest.raises(Unavailable, match="no such folder"):
            await postbox(url_of(imap, "Nowhere?verify=off")).fetch()

    async def test_a_folder_that_cannot_be_written_is_not_read_for_ever(self, imap: LabImap) -> None:
        imap.read_only = True
        with pytest.raises(Unavailable, match="marked as read"):
            await postbox(url_of(imap)).fetch()

    @pytest.mark.parametrize("command", ["SELECT", "SEARCH", "FETCH", "STORE"])
    async def test_after_a_broken_connection_the_next_look_opens_another(self, imap: LabImap, command: str) -> None:
        imap.add(FIRST)
        imap.drop = command
        box = postbox(url_of(imap))
        with pytest.raises(Unavailable, match="broke"):
            await box.done([key for key, _ in await box.fetch()])
        await box.done([key for key, _ in await box.fetch()])
        assert len(imap.seen()) == 1
        await box.close()

    async def test_a_silent_server_is_given_up(self, imap: LabImap) -> None:
        imap.hang = "SEARCH"
        mailbox = mailbox_of(url_of(imap))
        box = ImapPostbox(mailbox, Guard(allow_private=True), mailbox.context(), timeout=0.05)
        with pytest.raises(Unavailable, match="in time"):
            await box.fetch()

    async def test_nobody_listens(self, imap: LabImap) -> None:
        url = url_of(imap)
        imap.stop()
        with pytest.raises(Unavailable, match="cannot be reached"):
            await postbox(url).fetch()

    async def test_more_than_was_asked_for_is_not_taken(self, imap: LabImap) -> None:
        imap.add(FIRST)
        imap.extra = 10 * LONGEST
        with pytest.raises(Unavailable):
            await postbox(url_of(imap)).fetch()

    async def test_a_message_that_is_gone_meanwhile_is_let_go(self, imap: LabImap) -> None:
        uid = imap.add(FIRST)
        box = postbox(url_of(imap))
        fetched = await box.fetch()
        imap.remove(uid)
        await box.done([key for key, _ in fetched])
        assert await box.fetch() == []
        await box.close()

    async def test_keys_of_a_folder_that_was_made_anew_mean_nothing(self, imap: LabImap) -> None:
        imap.add(FIRST)
        box = postbox(url_of(imap))
        fetched = await box.fetch()
        await box.close()
        imap.validity += 1
        await box.done([key for key, _ in fetched])
        assert imap.seen() == []
        await box.close()

    async def test_the_guard_refuses_what_the_setting_does_not_name(self, imap: LabImap) -> None:
        mailbox = mailbox_of(url_of(imap))
        with pytest.raises(Unavailable, match="no permitted address"):
            await ImapPostbox(mailbox, Guard(), mailbox.context()).fetch()
        assert imap.commands.total() == 0


def elsewhere(server: LabImap) -> ImapPostbox:
    """The lab's server as if it were on another machine, where a password in clear could be heard."""

    class Far(Mailbox):
        loopback = property(lambda _: False)

    mailbox = Far(server.host, server.port, False, server.user, server.password, verify=False)
    return ImapPostbox(mailbox, Guard(allow_private=True), mailbox.context())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("imaps://me:pw@mail.test", ("mail.test", 993, True, "INBOX")),
        ("imap://me:pw@mail.test/", ("mail.test", 143, False, "INBOX")),
        ("imaps://me:pw@mail.test:9993/INBOX/Bounces", ("mail.test", 9993, True, "INBOX/Bounces")),
        ("imaps://me%40a.test:p%2Fw@[2001:db8::1]/R%C3%BCck", ("2001:db8::1", 993, True, "Rück")),
    ],
)
def test_a_url_names_a_folder_on_a_server(url: str, expected: tuple[str, int, bool, str]) -> None:
    found = mailbox_of(url)
    assert (found.host, found.port, found.implicit, found.folder) == expected
    assert "pw" not in repr(found)
    assert "pw" not in found.shown


WRONG = [
    "",
    "pop3://me:s3cret@mail.test",
    "imaps://mail.test/INBOX",
    "imaps://me@mail.test",
    "imaps://:s3cret@mail.test",
    "imaps://me:s3cret@",
    "imaps://me:s3cret@mail.test:0",
    "imaps://me:s3cret@mail.test:x",
    "imaps://me:s3cret/word@mail.test",
    "imaps://me:s3cret#word@mail.test",
    "imaps://me:s3cret?word@mail.test",
    "imaps://me:s3cret@mail.test/?verify=maybe",
    "imaps://me:s3cret@mail.test/?verify=off&ca=/x",
    "imaps://me:s3cret@mail.test/?tls=no",
    "imaps://me:s3cret%0d%0a@mail.test/",
    "imaps://me:s3cret@mail.test/a%0d%0ab",
    "imaps://me:s3cret@mail.test/?ca=/nowhere/at/all.pem",
    "maildir:relative/s3cret",
    "maildir:",
]


@pytest.mark.parametrize("url", WRONG)
def test_a_wrong_url_names_the_setting_and_never_the_password(url: str) -> None:
    with pytest.raises(ConfigError, match="POSTBENCH_BOUNCE_URL") as caught:
        postbox(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["maildir:/a/b%20c", "maildir:///a/b%20c", " maildir:/a/b c "])
def test_a_maildir_is_named_by_its_path(url: str) -> None:
    assert vars(postbox(url)) == vars(MaildirPostbox(Path("/a/b c")))


@given(st.text(st.characters(codec="utf-16"), max_size=30))
def test_folder_names_go_over_the_wire_in_ascii_and_come_back(name: str) -> None:
    coded = folder_name(name)
    assert all(" " <= char <= "~" for char in coded)
    pieces = coded.split("&")
    decoded = pieces[0] + "".join(_decoded(*piece.split("-", 1)) for piece in pieces[1:])
    assert decoded == name


def _decoded(coded: str, rest: str) -> str:
    return ("&" if not coded else f"+{coded.replace(',', '/')}-".encode().decode("utf-7")) + rest
