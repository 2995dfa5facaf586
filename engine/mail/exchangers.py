"""Who runs a mail exchanger, told by its name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

# The longest matching suffix wins: consumer Outlook is a part of Microsoft's zone.
_SUFFIXES = {
    "google.com": "google",
    "googlemail.com": "google",
    "psmtp.com": "google",
    "smtp.goog": "google",
    "olc.protection.outlook.com": "microsoft-consumer",
    "hotmail.com": "microsoft-consumer",
    "protection.outlook.com": "microsoft-365",
    "mx.microsoft": "microsoft-365",
    "protection.office365.us": "microsoft-365",
    "protection.outlook.de": "microsoft-365",
    "protection.partner.outlook.cn": "microsoft-365",
    "yahoodns.net": "yahoo",
    "yahoo.co.jp": "yahoo-japan",
    "mail.icloud.com": "icloud",
    "mail.me.com": "icloud",
    "pphosted.com": "proofpoint",
    "ppe-hosted.com": "proofpoint",
    "gpphosted.com": "proofpoint",
    "mimecast.com": "mimecast",
    "mimecast-offshore.com": "mimecast",
    "barracudanetworks.com": "barracuda",
    "ess.barracuda.com": "barracuda",
    "cudasvc.com": "barracuda",
    "iphmx.com": "cisco",
    "messagelabs.com": "broadcom",
    "trendmicro.com": "trend-micro",
    "trendmicro.eu": "trend-micro",
    "sophos.com": "sophos",
    "mailcontrol.com": "forcepoint",
    "hornetsecurity.com": "hornetsecurity",
    "antispameurope.com": "hornetsecurity",
    "antispamcloud.com": "spamexperts",
    "spamh.com": "spamhero",
    "fireeyecloud.com": "trellix",
    "mxthunder.net": "fusemail",
    "mailspamprotection.com": "siteground",
    "mx.cloudflare.net": "cloudflare",
    "amazonaws.com": "amazon",
    "awsapps.com": "amazon",
    "zoho.com": "zoho",
    "zoho.eu": "zoho",
    "zoho.in": "zoho",
    "zohomail.com": "zoho",
    "protonmail.ch": "proton",
    "messagingengine.com": "fastmail",
    "mailbox.org": "mailbox.org",
    "posteo.de": "posteo",
    "tutanota.de": "tuta",
    "emailsrvr.com": "rackspace",
    "secureserver.net": "godaddy",
    "titan.email": "titan",
    "privateemail.com": "namecheap",
    "registrar-servers.com": "namecheap",
    "hostinger.com": "hostinger",
    "improvmx.com": "improvmx",
    "forwardemail.net": "forward-email",
    "mailgun.org": "mailgun",
    "sendgrid.net": "sendgrid",
    "ovh.net": "ovh",
    "mail.gandi.net": "gandi",
    "infomaniak.ch": "infomaniak",
    "kundenserver.de": "ionos",
    "ionos.com": "ionos",
    "ionos.de": "ionos",
    "ionos.es": "ionos",
    "ionos.fr": "ionos",
    "ionos.it": "ionos",
    "ionos.co.uk": "ionos",
    "1and1.com": "ionos",
    "gmx.net": "gmx",
    "mail.com": "gmx",
    "web.de": "web.de",
    "t-online.de": "telekom",
    "rzone.de": "strato",
    "kasserver.com": "all-inkl",
    "orange.fr": "orange",
    "wanadoo.fr": "orange",
    "free.fr": "free.fr",
    "sfr.fr": "sfr",
    "sfr.net": "sfr",
    "laposte.net": "laposte",
    "libero.it": "libero",
    "iol.it": "libero",
    "tim.it": "tim",
    "aruba.it": "aruba",
    "virgilio.it": "libero",
    "telefonica.net": "telefonica",
    "uol.com.br": "uol",
    "bol.com.br": "uol",
    "terra.com.br": "terra",
    "locaweb.com.br": "locaweb",
    "yandex.net": "yandex",
    "yandex.ru": "yandex",
    "mail.ru": "mail.ru",
    "qq.com": "tencent",
    "netease.com": "netease",
    "163.com": "netease",
    "aliyun.com": "alibaba",
    "mxhichina.com": "alibaba",
    "naver.com": "naver",
    "daum.net": "kakao",
    "seznam.cz": "seznam",
    "wp.pl": "wp.pl",
    "onet.pl": "onet",
    "comcast.net": "comcast",
    "charter.net": "spectrum",
    "cox.net": "cox",
    "bigpond.com": "telstra",
    "btinternet.com": "bt",
    "bt.com": "bt",
    "bluewin.ch": "swisscom",
}

# Yahoo takes any recipient from a stranger and refuses after the data; the gateways take mail for a domain whose mailboxes
# they may not know.
_RESISTING = frozenset("yahoo proofpoint mimecast barracuda cisco broadcom trend-micro forcepoint sophos".split())


@lru_cache(maxsize=16_384)
def _provider(host: str) -> str:
    name = host.lower().rstrip(".")
    while name:
        if name in _SUFFIXES:
            return _SUFFIXES[name]
        name = name.partition(".")[2]
    return ""


def provider_of(hosts: Sequence[str]) -> str:
    """The provider behind a domain's mail exchangers (names, by preference): the first known one's, "" when none is known."""
    return next(filter(None, map(_provider, hosts)), "")


def resists_probes(provider: str) -> bool:
    """Whether that a recipient was accepted proves nothing by itself: Yahoo and AOL, and strict gateways."""
    return provider in _RESISTING
