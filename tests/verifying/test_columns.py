"""What the summary counts."""

from __future__ import annotations

from engine.mail.address import Address, parse
from engine.mail.evidence import Answer, DomainFacts, DomainOutcome, Mailbox
from engine.mail.verdict import Evidence, verdict
from engine.net.smtp_dial import PORT_BLOCKED
from engine.verifying.ask import Found
from engine.verifying.columns import tallies


def test_a_closed_port_is_told_once_for_the_whole_job():
    address = parse("ann@d.test")
    assert isinstance(address, Address)
    mailbox = Mailbox(Answer.NO_CONNECTION, host="mx.d.test", reply=PORT_BLOCKED.format(port=25))
    told = verdict(Evidence(address, DomainFacts(DomainOutcome.MAIL, ("mx.d.test",)), mailbox))
    counted = tallies([Found.of_verdict(told, 0)] * 3, {"smtp": 0})
    assert counted["trouble"] == {"connections to port 25 seem to be blocked from this machine": 3}
    assert counted["status"] == {"unknown": 3} and counted["calls"] == {}
