"""Replies of mail servers: what they say of the recipient, and above all what they don't."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.evidence import Answer
from engine.mail.replies import classify, enhanced_code

EXISTS = """
250 2.1.5 Ok
250 OK
250 2.1.5 <ann@shop.test>... Recipient ok
251 2.1.5 User not local; will forward to <ann@other.test>
450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.
450 4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend your message at a later time.
550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.
452 4.2.1 mailbox temporarily busy
"""

NOT_FOUND = """
550 5.1.1 user unknown
550 5.1.1
501 5.1.3
550 5.1.0 Address rejected.
553 5.1.3 malformed recipient
550 User unknown
550 No Such User Here
550 no such person at this address
550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking for typos - gsmtp
550 5.1.1 <blocked@shop.test>: Recipient address rejected: User unknown in local recipient table
550 5.1.1 <policy@spamhaus-fan.test>: Recipient address rejected: User unknown in virtual mailbox table
550 5.1.1 <x@shop.test>: Recipient address rejected: User unknown in relay recipient table
550 5.1.1 <x@shop.test>: Recipient address rejected: undeliverable address: no such mailbox
550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [DB5EUR01FT012.eop-EUR01.prod.protection.outlook.com]
550 5.4.1 All recipient addresses rejected : Access denied
550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ann@shop.test not found by SMTP address lookup
550 5.1.1 RESOLVER.ADR.RecipNotFound; not found
550 5.1.10
550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [AM6EUR05FT047.eop-eur05.prod.protection.outlook.com]
550 Requested action not taken: mailbox unavailable For explanation visit https://postmaster.gmx.net/en/case?c=r0103
550 mailbox unavailable, see https://postmaster.web.de/error-messages
554 delivery error: dd This user doesn't have a yahoo.com account (ann@yahoo.com) [0] - mta4219.mail.bf1.yahoo.com
552 1 Requested mail action aborted, mailbox not found
550 5.1.1 <ann@icloud.com>: user does not exist
550 5.1.1 unknown or illegal alias: ann@me.com
550 Unrouteable address
550-Verification done 550 unrouteable address
550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [abcDEF123456.uk21]
550 5.1.1 User Unknown
550 #5.1.0 Address rejected, no such mailbox
550 ann@shop.test (name or address) is an invalid recipient
550 5.1.1 ann@shop.test is not a valid mailbox
550 5.7.1 No such user! 1606212345-abcDEF
550 Message was not accepted -- invalid mailbox. Local mailbox ann@mail.ru is unavailable: user not found
550 5.1.1 not present in directory
550 ann... not listed in Domino Directory
550 5.1.1 Addressee unknown, relay=[203.0.113.9]
550 sorry, no mailbox here by that name (#5.1.1 - chkuser)
511 sorry, no mailbox here by that name (#5.1.1)
550 That account doesn't exist.Please check the spelling
550 5.1.1 We could not find the user: can't find user in our system
550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR204_418 [418]
550 5.1.1 Adresse d'au moins un destinataire invalide OFR_416
550 5.1.1 <ann@free.test> : utilisateur inconnu
550 Le destinataire est inconnu chez nous
550 Cette adresse n'existe pas
550 La boîte aux lettres est inexistante
550 La bo\ufffd\ufffdte aux lettres est inexistante
550 La boÃ®te aux lettres est inexistante
550 5.1.1 usuario desconocido
550 El usuario no existe
550 La cuenta de correo no existe en este servidor
550 Buzón inexistente
550 Direcci?n no v?lida
550 5.1.1 usuario no encontrado
550 utente sconosciuto
550 5.1.1 Casella inesistente
550 Il destinatario non esiste
550 5.1.1 <ann@libero.it> indirizzo non valido
550 Benutzer unbekannt
550 5.1.1 Empfänger unbekannt
550 5.1.1 Empfaenger unbekannt
550 5.1.1 Empf?nger unbekannt
550 Unbekannter Empfänger
550 Postfach existiert nicht
550 Kein solcher Benutzer vorhanden
550 Das Postfach wurde nicht gefunden
550 5.1.1 Usuário desconhecido
550 5.1.1 Usuario inexistente - UOL
550 Conta inexistente
550 Este destinatário não existe
550 E-mail não encontrado no servidor
550 Gebruiker onbekend
550 Konto nie istnieje
"""

FULL = """
452 4.2.2 The email account that you tried to reach is over quota. Please direct the recipient to clean up - gsmtp
552 5.2.2 The email account that you tried to reach is over quota and inactive
552-5.2.2 out of storage space
552 5.2.2 <ann@icloud.com>: user is over quota
552
552 Requested mail action aborted: exceeded storage allocation
550 5.2.2 mailbox full
554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException
452 4.2.2 Over quota
450 4.2.2 Mailbox full
422 The recipient's mailbox is over its storage limit
550 Mailbox quota exceeded
550 Inbox is full
552 5.2.2 Boite du destinataire pleine. Mailbox full OFR_417 [417]
552 Quota dépassé
552 5.2.2 La messagerie du destinataire est pleine
552 Espace disque insuffisant
552 5.2.2 buzón lleno
550 La cuota del usuario ha sido superada: cuota superada
550 Casilla de correo llena
552 casella piena
552 Quota della casella superata
550 5.2.2 caixa postal cheia
550 Cota excedida
552 Das Postfach ist voll
550 5.2.2 Quota überschritten
550 5.2.2 Quota ueberschritten
"""

DISABLED = """
550 5.2.1 The email account that you tried to reach is disabled. Learn more at https://support.google.com/mail/?p=DisabledUser
550 5.2.1 The email account that you tried to reach is inactive
550 5.2.1
554 30 Sorry, your message to ann@yahoo.com cannot be delivered. This mailbox is disabled (554.30).
554 delivery error: dd Sorry, your message cannot be delivered. This account has been disabled or discontinued [#102].
550 5.7.13 STOREDRV.Submission; user account disabled
550 5.7.504 [ann@shop.test]: Recipient address rejected: Access denied
550 5.7.505 Access denied, banned recipient
550 Account has been suspended
550 account is locked
550 5.1.6 recipient no longer on server
550 This address is no longer in use
550 5.2.1 mailbox deactivated
550 5.2.1 Mailbox inactive for a long time
550 Compte désactivé
550 Compte d\ufffdsactiv\ufffd
550 La boîte a été suspendue
550 L'adresse n'est plus valide
550 Cuenta desactivada
550 Usuario suspendido
550 cuenta deshabilitada
550 Account disabilitato
550 casella disattivata
550 Utenza sospesa
550 Conta desativada
550 usuário inativo
550 Postfach gesperrt
550 Benutzerkonto deaktiviert
550 Adresse nicht mehr gültig
"""

NO_MAIL = """
556 5.1.10 Recipient address has null MX
556 Domain does not accept mail
556
550 5.1.10 Recipient domain has null MX
550 5.7.27 Domain has null MX
521 5.3.2 host does not accept mail
550 This domain does not accept email
"""

BLOCKED = """
550 5.7.1 relay access denied
554 5.7.1 <ann@shop.test>: Relay access denied
550 5.1.1 blocked using spamhaus
550 5.1.1 User unknown; blocked using zen.spamhaus.org
554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using bl.spamcop.net
550 5.7.1 [203.0.113.9] Our system has detected an unusual amount of unsolicited mail - gsmtp
550-5.7.26 This mail has been blocked because the sender is unauthenticated. - gsmtp
550 5.7.25 [203.0.113.9] The IP address sending this message does not have a PTR record setup - gsmtp
421 4.7.0 [TSS04] Messages from 203.0.113.9 temporarily deferred due to unexpected volume or user complaints
553 5.7.1 [BL21] Connections not accepted from IP addresses on Spamhaus XBL
550 5.7.1 Unfortunately, messages from [203.0.113.9] weren't sent. Part of their network is on our block list (S3140).
550 SC-001 (COL004-MC1F5) Unfortunately, messages from 203.0.113.9 weren't sent
451 4.7.650 The mail server [203.0.113.9] has been temporarily rate limited due to IP reputation. (S775)
550 5.7.606 Access denied, banned sending IP [203.0.113.9]
550 5.7.649 Access denied
550 5.7.511 Access denied, banned sender
550 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137
550 5.7.0 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=203.0.113.9
554 Blocked - see https://ipcheck.proofpoint.com/?ip=203.0.113.9
550 Rejected by header based manually Blocked Senders - https://community.mimecast.com
550 Administrative prohibition - envelope blocked
554 Email rejected due to security policies
550-Sender verify failed 550 does not exist
550 5.1.8 Sender address rejected: Domain not found
450 4.1.8 <probe@us.test>: Sender address rejected: Domain not found
550 5.1.7 Invalid sender
550 5.1.0 sender rejected
550 5.7.27 Sender address has null MX
450 4.7.1 Client host rejected: cannot find your reverse hostname, [203.0.113.9]
450 4.7.25 Client host rejected: cannot find your hostname
504 5.5.2 <us>: Helo command rejected: need fully-qualified hostname
550 HELO host does not exist
550 5.7.1 Unable to relay
550 5.7.64 TenantAttribution; Relay Access Denied
553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
530 5.7.0 Must issue a STARTTLS command first
550 5.7.1 RESOLVER.RST.AuthRequired; authentication required
550 5.7.1
450 4.7.0
554 5.7.1 Access denied
550 Access denied
554 5.7.1 The server sending your mail has a poor reputation (SBRS)
554 Your access to this mail system has been rejected due to the sending MTA's poor reputation.
550 5.7.1 Service unavailable; blocked by abusix
550 5.7.1 Mail rejected by policy
550-Reject due to policy restrictions. For explanation visit https://postmaster.gmx.net/en/error-messages
554 No SMTP service - IP address is black listed - gmx.net
550 5.2.0 Mail rejete. Mail rejected. OFR_506 [506]
550 5.7.1 Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_999
554 5.7.1 votre adresse IP est sur une liste noire
550 spam detected - free.fr
550 su IP está en una lista negra
550 bloqueado por reputación
554 rifiutato per policy: indirizzo IP in lista nera
550 Ihre IP steht auf einer Sperrliste
554 IP 203.0.113.9 gesperrt
550 seu endereço IP está na lista negra
550 5.7.1 does not accept mail from dynamic addresses
550 This domain does not accept mail from your country
550 Callout verification failed: 550 user unknown
550 5.1.1 rejected: SPF check failed
550 5.7.129 sender not allowed to send to the group
550 5.1.1 rejected because of bad reverse DNS; mailbox not found
"""

GREYLISTED = """
450 4.2.0 Greylisted, please try again in 300 seconds
451 4.7.1 Greylisting in action, please come back later
450 4.7.1 <ann@shop.test>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/shop.test.html
451 4.7.1 Graylisting policy in effect
450 4.1.1 <ann@shop.test>: Recipient address rejected: unverified address: Address verification in progress
450 4.1.1 user unknown
450 5.1.1 user unknown
450 Requested mail action not taken: mailbox unavailable
451 4.3.0 Temporary lookup failure
451 Temporary local problem - please try later
451 Internal resource temporarily unavailable - https://community.mimecast.com
452 4.3.1 Insufficient system storage
451 4.7.0 Temporary server error. Please try again later. PRX2
451
450
550 Greylisted for 5 minutes
450 4.2.1 account temporarily disabled
451 Veuillez réessayer plus tard
451 Inténtelo más tarde
451 Riprovare più tardi
451 Bitte später erneut versuchen
451 Tente novamente mais tarde
"""

RATE_LIMITED = """
421 4.3.2 Service shutting down
421
421 4.7.0 Try again later, closing connection. - gsmtp
421 Too many connections from your host
421 4.7.28 Our system has detected an unusual rate of mail from your network - gsmtp
452 4.5.3 Too many recipients
451 4.7.500 Server busy. Please try again later from [203.0.113.9]
421 mwinf5c04 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR004_104
450 4.7.1 You have exceeded the rate limit
550 5.7.1 too many errors from your ip
421 Zu viele Verbindungen
"""

NO_SMTPUTF8 = """
550 5.6.7 Non-ASCII addresses not permitted for that recipient
553 SMTPUTF8 is required
"""

UNCLEAR = """
252 2.0.0 Cannot VRFY user, but will accept message
220 hello
354 go on
550
550 Requested action not taken
550 Requested action not taken: mailbox unavailable
554 Transaction failed
550 5.4.1
550 5.0.0
552 5.3.4 Message size exceeds fixed maximum message size
552 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient
552 message exceeds maximum size
500 5.5.1 unrecognized command
503 5.5.1 need MAIL command
551 not here
550 5.5.0 la la la
"""

TABLES = {
    Answer.EXISTS: EXISTS,
    Answer.NOT_FOUND: NOT_FOUND,
    Answer.FULL: FULL,
    Answer.DISABLED: DISABLED,
    Answer.NO_MAIL: NO_MAIL,
    Answer.BLOCKED: BLOCKED,
    Answer.GREYLISTED: GREYLISTED,
    Answer.RATE_LIMITED: RATE_LIMITED,
    Answer.NO_SMTPUTF8: NO_SMTPUTF8,
    Answer.UNCLEAR: UNCLEAR,
}
CASES = [(line, answer) for answer, table in TABLES.items() for line in table.strip().splitlines()]


@pytest.mark.parametrize(("reply", "answer"), CASES, ids=[f"{answer}: {line[:60]}" for line, answer in CASES])
def test_what_a_reply_means(reply, answer):
    assert classify(int(reply[:3]), reply[4:]) == answer


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("5.1.1 user unknown", "5.1.1"),
        ("<ann@shop.test> #5.1.1 unknown", "5.1.1"),
        ("sorry (#4.2.2)", "4.2.2"),
        ("5.1.10.", "5.1.10"),
        ("4.7.650 limited", "4.7.650"),
        ("blocked 5.188.10.4", ""),
        ("Exim 4.94.2 says no", ""),
        ("ok", ""),
        ("", ""),
        ("host said 550 5.1.1 no, then 5.7.1", "5.1.1"),
    ],
)
def test_the_enhanced_code_is_found(text, code):
    assert enhanced_code(text) == code


ABOUT_MAILBOX = {Answer.NOT_FOUND, Answer.DISABLED, Answer.NO_MAIL}
OWN_TROUBLE = [
    "blocked using zen.spamhaus.org",
    "relay access denied",
    "Client host rejected",
    "your IP has a poor reputation",
    "Sender address rejected",
    "greylisted",
    "too many connections",
]


@given(st.integers(-1, 1_000), st.text(max_size=400))
def test_any_reply_has_a_meaning(code, text):
    answer = classify(code, text)
    if not 500 <= code < 600:
        assert answer not in ABOUT_MAILBOX


@given(
    st.sampled_from(OWN_TROUBLE),
    st.sampled_from(["5.1.1", "5.1.0", "5.7.1", "5.2.1", "5.4.1", "5.1.10", ""]),
    st.sampled_from(["user unknown", "no such user", "account disabled", "does not exist", "null MX", ""]),
    st.booleans(),
)
def test_own_trouble_is_never_the_mailboxs(trouble, enhanced, said, first):
    text = f"{enhanced} {trouble}; {said}" if first else f"{enhanced} {said}; {trouble}"
    assert classify(550, text) not in ABOUT_MAILBOX


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_an_unknown_refusal_is_never_not_found_by_its_digits_alone(text):
    known = classify(550, text)
    assert known == Answer.UNCLEAR or any(c.isalnum() for c in text)


def test_a_hostile_reply_is_read_in_time():
    started = time.perf_counter()
    for text in ("a" * 100_000, "<" * 100_000, "a@" * 50_000, "1a" * 50_000, "user " * 20_000, "a." * 50_000, "?" * 100_000):
        classify(550, text)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("5.6.0 Message contains invalid header", Answer.UNCLEAR),
        ("A conta de destino é inválida", Answer.NOT_FOUND),
        ("Esta conta não existe", Answer.NOT_FOUND),
    ],
)
def test_a_word_within_another_says_nothing(said: str, answer: Answer):
    assert classify(550, said) is answer
