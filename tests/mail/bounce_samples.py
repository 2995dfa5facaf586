"""Bounces in the styles of well-known mail systems, written for these tests; addresses and hosts are made up."""

from __future__ import annotations

import re

ORIGINAL_ID = "<20260103.b0c4@postbench.test>"
ORIGINAL = f"""\
From: News <news@sender.test>
To: jane@shop.test
Subject: Spring
Message-ID: {ORIGINAL_ID}
Content-Type: text/plain

Hello Jane.
"""


def report(
    status: str,
    *,
    original: str = ORIGINAL,
    returned: str = "message/rfc822",
    status_type: str = "message/delivery-status",
    sender: str = "MAILER-DAEMON@mx.relay.test (Mail Delivery System)",
    words: str = "Your message could not be delivered.",
) -> bytes:
    """A delivery report (RFC 3464) with these groups of fields."""
    text = f"""\
Return-Path: <>
From: {sender}
To: news@sender.test
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <the-bounce-itself@mx.relay.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

This is a MIME-encapsulated message.

--=_b
Content-Type: text/plain; charset=us-ascii

{words}

--=_b
Content-Description: Delivery report
Content-Type: {status_type}

{status}
--=_b
Content-Type: {returned}

{original}
--=_b--
"""
    return text.replace("\n", "\r\n").encode()


def returned(message: bytes, name: str, link: str = "") -> bytes:
    """A sample on a message to this name at its host; `link` is what that message's header has for unsubscribing."""
    header = f"List-Unsubscribe: {link}\nMessage-ID:" if link else "Message-ID:"
    return re.sub(rb"Message-ID:(?= <2026)", header.encode(), message.replace(b"jane", name.encode()))


POSTFIX = report("""\
Reporting-MTA: dns; mx.relay.test
X-Postfix-Queue-ID: 4F2aBc1234
X-Postfix-Sender: rfc822; news@sender.test
Arrival-Date: Sat,  3 Jan 2026 10:00:00 +0000 (UTC)

Final-Recipient: rfc822; jane@shop.test
Original-Recipient: rfc822;jane@shop.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.shop.test
Diagnostic-Code: smtp; 550 5.1.1 <jane@shop.test>: Recipient address rejected:
    User unknown in virtual mailbox table
""")

POSTFIX_NO_DOMAIN = report("""\
Reporting-MTA: dns; mx.relay.test

Final-Recipient: rfc822; jane@shop.test
Action: failed
Status: 5.4.4
Diagnostic-Code: X-Postfix; Host or domain name not found. Name service error for
    name=shop.test type=A: Host not found
""")

POSTFIX_EXPIRED = report("""\
Reporting-MTA: dns; mx.relay.test

Final-Recipient: rfc822; jane@shop.test
Action: failed
Status: 4.4.1
Diagnostic-Code: X-Postfix; connect to mx.shop.test[192.0.2.7]:25: Connection timed out
""")

POSTFIX_DELAYED = report("""\
Reporting-MTA: dns; mx.relay.test

Final-Recipient: rfc822; jane@shop.test
Action: delayed
Status: 4.4.1
Diagnostic-Code: X-Postfix; connect to mx.shop.test[192.0.2.7]:25: Connection timed out
Will-Retry-Until: Thu,  8 Jan 2026 10:00:00 +0000 (UTC)
""")

DELIVERED = report("""\
Reporting-MTA: dns; mx.relay.test

Final-Recipient: rfc822; jane@shop.test
Action: delivered
Status: 2.0.0
""")

EXIM = report(
    """\
Reporting-MTA: dns; exim.relay.test

Action: failed
Final-Recipient: rfc822;jane@shop.test
Status: 5.0.0
Remote-MTA: dns; mx.shop.test
Diagnostic-Code: smtp; 550 No such person at this address
""",
    returned="text/rfc822-headers",
    original="Return-path: <news@sender.test>\n" + ORIGINAL.partition("\n\n")[0],
)

EXCHANGE = report("""\
Reporting-MTA: dns;EXCH01.corp.test
Received-From-MTA: dns;mx.relay.test
Arrival-Date: Sat, 3 Jan 2026 10:00:00 +0000

Original-Recipient: rfc822;jane@shop.test
Final-Recipient: rfc822;jane@shop.test
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
X-Display-Name: Jane
""")

EXCHANGE_POLICY = report("""\
Reporting-MTA: dns;EXCH01.corp.test

Final-Recipient: rfc822;jane@shop.test
Action: failed
Status: 5.7.1
Diagnostic-Code: smtp;550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy
""")

GMAIL = report(
    """\
Reporting-MTA: dns; googlemail.com
Arrival-Date: Sat, 03 Jan 2026 02:00:00 -0800 (PST)
X-Original-Message-ID: <20260103.b0c4@postbench.test>

Final-Recipient: rfc822; jane@shop.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.shop.test. (192.0.2.7, the server for the domain shop.test.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or
 550 5.1.1 unnecessary spaces.
""",
    sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
)

FULL = report("""\
Reporting-MTA: dns; googlemail.com

Final-Recipient: rfc822; jane@shop.test
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 The email account that you tried to reach is over quota and inactive.
""")

DOMINO = report("""\
Reporting-MTA: dns;notes.corp.test

Final-Recipient: rfc822;jane@shop.test
Action: failed
Status: 5.1.1
Diagnostic-Code: X-Notes; User jane (jane@shop.test) not listed in Domino Directory
""")

SENDMAIL = report("""\
Reporting-MTA: dns; sendmail.relay.test
Received-From-MTA: DNS; host.sender.test
Arrival-Date: Sat, 3 Jan 2026 10:00:00 GMT

Original-Recipient: rfc822;jane@shop.test
Final-Recipient: RFC822; jane-alias@inside.shop.test
X-Actual-Recipient: RFC822; jane-alias@inside.shop.test
Action: failed
Status: 5.1.1
Remote-MTA: DNS; inside.shop.test
Diagnostic-Code: SMTP; 550 5.1.1 <jane-alias@inside.shop.test>... User unknown
Last-Attempt-Date: Sat, 3 Jan 2026 10:00:01 GMT
""")

INTERNATIONAL = report(
    """\
Reporting-MTA: dns; mx.relay.test

Final-Recipient: utf-8; j\\x{F6}rg@shop.test
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown
""",
    status_type="message/global-delivery-status",
    returned="message/global-headers",
)

QMAIL = f"""\
Return-Path: <>
From: MAILER-DAEMON@qmail.relay.test
To: news@sender.test
Subject: failure notice

Hi. This is the qmail-send program at qmail.relay.test.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<jane@shop.test>:
192.0.2.7 does not like recipient.
Remote host said: 550 5.1.1 User unknown
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

Return-Path: <news@sender.test>
{ORIGINAL}""".encode()

EXIM_PROSE = f"""\
From: Mail Delivery System <Mailer-Daemon@exim.relay.test>
To: news@sender.test
Subject: Mail delivery failed: returning message to sender
Auto-Submitted: auto-replied
X-Failed-Recipients: jane@shop.test

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  jane@shop.test
    host mx.shop.test [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<jane@shop.test>:
    550 5.1.1 <jane@shop.test>: Recipient address rejected: User unknown

------ This is a copy of the message, including all the headers. ------

{ORIGINAL}""".encode()

EXIM_TIMEOUT = EXIM_PROSE.replace(
    b"550 5.1.1 <jane@shop.test>: Recipient address rejected: User unknown", b"451 4.7.1 try later: retry timeout exceeded"
)

YAHOO = f"""\
From: MAILER-DAEMON@yahoo.com
To: news@sender.test
Subject: Failure Notice
X-Loop: MAILER-DAEMON@yahoo.com

Sorry, we were unable to deliver your message to the following address.

<jane@shop.test>:
554: delivery error: dd This user doesn't have a shop.test account (jane@shop.test) [0] - mta1.mail.shop.test

--- Below this line is a copy of the message.

{ORIGINAL}""".encode()

GROUPWISE = b"""\
From: Mail Delivery System <postmaster@corp.test>
To: news@sender.test
Subject: Message status - undeliverable
X-Mailer: Novell GroupWise Internet Agent
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=g

--g
Content-Type: text/plain

The message that you sent was undeliverable to the following:

jane@shop.test (550 5.1.1 user unknown)
--g--
"""

COMPLAINT = f"""\
From: <feedback@provider.test>
To: abuse@sender.test
Subject: Complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_f"

--=_f
Content-Type: text/plain

A user complained.

--=_f
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Provider-FBL/1.0
Version: 1
Original-Mail-From: <news@sender.test>
Original-Rcpt-To: <jane@shop.test>

--=_f
Content-Type: message/rfc822

{ORIGINAL}
--=_f--
""".encode()

VACATION = b"""\
Return-Path: <>
From: Jane <jane@shop.test>
To: news@sender.test
Subject: Out of office: Spring
Auto-Submitted: auto-replied
In-Reply-To: <20260103.b0c4@postbench.test>

I am away. The following addresses failed:

 <ann@shop.test>
"""

ORDINARY = b"""\
From: Jane <jane@shop.test>
To: news@sender.test
Subject: Re: Undelivered Mail Returned to Sender

Look what I got:

> Hi. This is the qmail-send program at qmail.relay.test.
> I'm afraid I wasn't able to deliver your message to the following addresses.
>
> <ann@shop.test>:
> 550 5.1.1 User unknown
"""

READ_RECEIPT = b"""\
From: Jane <jane@shop.test>
To: news@sender.test
Subject: Read: Spring
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary=x

--x
Content-Type: text/plain

The message was displayed.

--x
Content-Type: message/disposition-notification

Final-Recipient: rfc822; jane@shop.test
Original-Message-ID: <20260103.b0c4@postbench.test>
Disposition: manual-action/MDN-sent-manually; displayed
--x--
"""

FORWARDED = (
    b"""\
From: Jane <jane@shop.test>
To: news@sender.test
Subject: what does this mean?
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: text/plain

See the attachment.

--m
Content-Type: message/rfc822

"""
    + POSTFIX
    + b"""
--m--
"""
)
