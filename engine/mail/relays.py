"""Domains of forwarding aliases: each address reaches a person's real mailbox, until that person switches it off."""

from __future__ import annotations

RELAY_DOMAINS = frozenset(
    """
    privaterelay.appleid.com duck.com mozmail.com
    simplelogin.com simplelogin.co simplelogin.fr simplelogin.io slmail.me slmails.com slmailbox.com aleeas.com
    8alias.com 8shield.net dralias.com silomails.com
    passmail.net passmail.com passinbox.com passfwd.com
    anonaddy.com anonaddy.me addymail.com addy.io
    erine.email cloaked.id cloaked.app hidemail.app maskmail.net ivmail.com ironvest.com opayq.com
    """.split()
)
"""Apple, DuckDuckGo, Firefox, SimpleLogin and Proton Pass, addy.io and smaller ones, from their public help pages."""
