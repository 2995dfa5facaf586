"""The lab's relay itself, spoken to by the standard library: it keeps what it says it keeps, also when it is killed."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.receiver import OK, WORDS, Act, Receiver, Taken, asked, recorded, told
from tests.lab.running import ROOT, in_process

MESSAGE = "Subject: x\r\n\r\n.dots\r\n..\r\nend\r\n"


@contextmanager
def client(port: int) -> Iterator[smtplib.SMTP]:
    connection = smtplib.SMTP("127.0.0.1", port, "here.test", timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def send(port: int, *recipients: str) -> None:
    with client(port) as connection:
        for recipient in recipients:
            connection.sendmail("a@one.test", [recipient], MESSAGE)


def test_it_keeps_messages_as_they_were_sent():
    with Receiver() as relay:
        send(relay.port, "x@two.test", "x@two.test", "y@two.test")
    assert relay.messages[0] == Taken("a@one.test", "x@two.test", MESSAGE.encode(), f"size={len(MESSAGE)}")
    assert relay.accepted == {"x@two.test": 2, "y@two.test": 1}


@pytest.mark.parametrize("word", sorted(WORDS.keys() - {"silent", "mute", "deaf"}))
def test_it_does_what_the_word_says(word: str):
    act = WORDS[word]
    with Receiver() as relay:
        try:
            send(relay.port, f"{word}@two.test")
        except smtplib.SMTPRecipientsRefused as error:
            assert str(error.recipients[f"{word}@two.test"][0]) == act.reply[:3]
        except smtplib.SMTPResponseException as error:
            assert str(error.smtp_code) == act.reply[:3] or act.reply == "!close"
        except smtplib.SMTPServerDisconnected:
            assert act.reply == "!close" or act.reply.startswith("421")
        else:
            assert act.reply == ""
    assert len(relay.messages) == act.taken


@pytest.mark.parametrize("word", ["silent", "mute"])
def test_it_may_never_answer_the_dot(word: str):
    with Receiver() as relay, client(relay.port) as connection:
        assert connection.sock is not None
        connection.ehlo()
        connection.mail("a@one.test")
        connection.rcpt(f"{word}@two.test")
        connection.docmd("DATA")
        connection.send("x\r\n.\r\n")
        connection.sock.shutdown(socket.SHUT_WR)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            connection.getreply()
    assert len(relay.messages) == WORDS[word].taken


def test_scripts_go_before_words_and_end_with_their_last():
    with Receiver() as relay:
        relay.scripts["ok@two.test"] = [Act("rcpt", "450 4.7.1 Greylisted"), OK]
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(relay.port, "ok@two.test")
        send(relay.port, "ok@two.test", "ok@two.test")
    assert len(relay.messages) == 2


def test_it_knows_who_logs_in_and_speaks_tls():
    context = ssl._create_unverified_context()
    with Receiver(starttls="ok", auth=("jane", "secret"), demand=True) as relay, client(relay.port) as connection:
        with pytest.raises(smtplib.SMTPSenderRefused):
            connection.sendmail("a@one.test", ["x@two.test"], MESSAGE)
        connection.starttls(context=context)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            connection.login("jane", "wrong")
        connection.login("jane", "secret")
        connection.sendmail("a@one.test", ["x@two.test"], MESSAGE)
    assert (relay.messages[0].user, relay.messages[0].secure, relay.secured) == ("jane", True, 1)


def test_it_counts_connections_and_refuses_too_many():
    with Receiver(most=1) as relay, client(relay.port):
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            smtplib.SMTP("127.0.0.1", relay.port, timeout=10)
        assert refused.value.smtp_code == 421
    assert (relay.opened, relay.most_open) == (2, 2)


def test_in_another_process_it_can_be_told_and_asked(tmp_path: Path):
    path = tmp_path / "record"
    with in_process("tests.lab.receiver", "--record", str(path), "--manner", '{"size": 5000}') as port:
        told(port, {"scripts": {"x@two.test": [["dot", "451 4.3.0 Later"], ["dot", "", True]]}})
        with pytest.raises(smtplib.SMTPDataError):
            send(port, "x@two.test")
        send(port, "x@two.test", "y@two.test")
        found = asked(port)
    assert (found["accepted"], found["messages"]) == ({"x@two.test": 1, "y@two.test": 1}, 2)
    assert [message.recipient for message in recorded(path)] == ["x@two.test", "y@two.test"]


def test_killed_it_has_every_message_that_it_answered_and_comes_back(tmp_path: Path):
    path = tmp_path / "record"
    command = [sys.executable, "-m", "tests.lab.receiver", "--record", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        send(port, *(f"ok.{number}@two.test" for number in range(20)))
        os.kill(child.pid, signal.SIGKILL)
    with path.open("ab") as record:
        record.write(b'["a@one.test", "cut')
    assert [message.recipient for message in recorded(path)] == [f"ok.{number}@two.test" for number in range(20)]
    with in_process("tests.lab.receiver", "--port", str(port), "--record", str(path)) as again:
        assert again == port
        send(port, "last@two.test")
    assert (len(recorded(path)), recorded(path)[-1].recipient) == (21, "last@two.test")


def test_it_drops_at_once_when_it_is_told_to_reset():
    with Receiver(answers={"MAIL": "!reset"}) as relay, pytest.raises(smtplib.SMTPServerDisconnected):
        send(relay.port, "x@two.test")
    assert relay.unfinished == 1
