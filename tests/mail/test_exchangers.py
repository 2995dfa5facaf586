"""Providers, told by their exchangers' names."""

from __future__ import annotations

import pytest

from engine.mail.exchangers import provider_of, resists_probes


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("gmail-smtp-in.l.google.com", "google"),
        ("ASPMX.L.GOOGLE.COM.", "google"),
        ("outlook-com.olc.protection.outlook.com", "microsoft-consumer"),
        ("shop-test.mail.protection.outlook.com", "microsoft-365"),
        ("shop-test.a-v1.mx.microsoft", "microsoft-365"),
        ("mta5.am0.yahoodns.net", "yahoo"),
        ("mx-aol.mail.gm0.yahoodns.net", "yahoo"),
        ("mxa-0012.gslb.pphosted.com", "proofpoint"),
        ("mx1-us1.ppe-hosted.com", "proofpoint"),
        ("eu-smtp-inbound-1.mimecast.com", "mimecast"),
        ("mx01.mail.icloud.com", "icloud"),
        ("mx00.gmx.net", "gmx"),
        ("mx-ha.web.de", "web.de"),
        ("smtp-in.orange.fr", "orange"),
        ("mx1.free.fr", "free.fr"),
        ("smtp-in.libero.it", "libero"),
        ("mx.uol.com.br", "uol"),
        ("mx.shop.test", ""),
        ("notgoogle.com", ""),
        ("google.com.shop.test", ""),
        ("", ""),
        (".", ""),
    ],
)
def test_a_host_has_its_provider(host, provider):
    assert provider_of([host]) == provider


def test_the_first_known_host_decides():
    assert provider_of(["mx.shop.test", "aspmx.l.google.com", "mta5.am0.yahoodns.net"]) == "google"
    assert provider_of([]) == ""


def test_who_resists_probes():
    assert all(map(resists_probes, ("yahoo", "proofpoint", "mimecast", "barracuda")))
    assert not any(map(resists_probes, ("google", "microsoft-365", "icloud", "")))
