"""What looks like an address and is none: files, versions, placeholders, keys of error trackers, vocabularies."""

from __future__ import annotations

import re
from functools import lru_cache

from engine.mail.address import Address

ASSETS = frozenset(
    """
    png jpg jpeg jpe jfif gif svg svgz webp avif apng ico bmp tif tiff heic heif psd eps css scss less js mjs cjs jsx ts tsx
    map vue json jsonld xml xsl xsd rss atom yml yaml toml woff woff2 ttf otf eot mp3 mp4 m4a m4v ogg ogv oga wav flac webm
    avi mov wmv mkv flv swf pdf doc docx xls xlsx ppt pptx odt ods odp rtf csv txt epub ics vcf zip gz tgz bz2 xz rar 7z tar
    jar war exe dmg msi deb rpm apk iso bin dll wasm htm html xhtml php phtml asp aspx jsp cgi webmanifest torrent
    """.split()
)
"""File suffixes. `zip` and `mov` are top-level domains too, but a name before them is far more often a file."""

# Names of nobody: the part of the domain before its suffix.
_PLACEHOLDER_DOMAINS = frozenset(
    """
    example examples exemple ejemplo esempio beispiel exemplo przyklad voorbeeld esimerkki exempel eksempel primer yourdomain
    your-domain yourdomainname yourcompany your-company yoursite your-site yourwebsite your-website youremail yourmail
    yourhost mydomain my-domain mycompany mysite mywebsite somedomain some-domain anydomain domain domainname domain-name
    domaine domein tudominio su-dominio sudominio tuempresa suempresa midominio votredomaine votre-domaine votresite
    votre-site monsite mondomaine ihredomain ihre-domain ihrefirma ihre-firma deinedomain deine-domain deinefirma musterfirma
    musterdomain mustermail muster mustermann seudominio seu-dominio tuodominio tuo-dominio iltuodominio uwdomein jouwdomein
    sirket sirketiniz sirketadi foretag foretaget dittforetag bedriften pelda contoh
    twojadomena companyname company-name sitename site-name hostname emailprovider emailaddress email-address
    """.split()
)
_PLACEHOLDER_LOCALS = frozenset(
    """
    your-email youremail your.email your_email your-mail yourmail your.mail yourname your-name your.name your_name
    yourusername your-username your-user youraddress your-address your-e-mail youremailaddress youremailhere
    firstname.lastname firstname-lastname firstname_lastname firstnamelastname first.last first_last firstlast name.surname
    firstname.surname name.lastname vorname.nachname vorname.name v.nachname prenom.nom prénom.nom nombre.apellido
    nome.cognome nome.sobrenome voornaam.achternaam imie.nazwisko etunimi.sukunimi fornavn.etternavn fornamn.efternamn
    fornavn.efternavn jmeno.prijmeni max.mustermann maxmustermann erika.mustermann max-mustermann mustermann votre-email
    votreemail votre.email votre-adresse votremail tu-email tuemail tu-correo tucorreo tu.correo tu.email sucorreo su-correo
    su-email ihre-email ihreemail ihre.email ihr-name ihrname deine-email deineemail deinname dein-name seuemail seu-email
    seu.email tua-email tuaemail latuaemail jouwemail uwemail jouwnaam uwnaam twojemail twoj-email emailaddress email-address
    emailhere placeholder name ad.soyad adsoyad isim.soyisim fornamn.efternamn
    """.split()
)
# Placeholders only together: each of these locals may be real elsewhere, and each of these domains has real mailboxes.
_VAGUE_LOCALS = frozenset(
    """
    your you me my name names nom nombre nome naam imie jmeno user users username user1 user2 user.name email e-mail mail
    mymail myemail someone somebody anyone anybody somename someuser example exemple ejemplo beispiel test tester testing
    tests firstname lastname first last vorname nachname foo bar baz foobar abc xyz xxx xxxx xx yyy aaa asdf qwerty sample
    demo dummy fake nobody noone no-one address login account correo courriel adresse usuario utilisateur benutzer utente
    gebruiker customer client member namn navn nev vas vase nama anda twoj adres
    """.split()
)
_VAGUE_DOMAINS = frozenset(
    """
    email e-mail mail mymail myemail company companymail site website web test tests testing testmail foo bar baz foobar abc
    xyz xxx host server provider somewhere anywhere nowhere some any address yyy asdf qwerty sample demo dummy fake business
    organization organisation corp mycorp firma entreprise empresa azienda bedrijf xx aaa abcd work
    """.split()
)
_SAMPLE_PEOPLE = frozenset(
    """
    john jane joe bob alice john.doe jane.doe johndoe janedoe john.smith johnsmith jane.smith jdoe jsmith doe info contact
    hello admin support sales
    """.split()
)
_SAMPLE_DOMAINS = frozenset("company companyname website email mymail foo bar foobar abc xyz doe somewhere testmail fake".split())
# A free mailbox of nobody in particular, as forms show it.
_NOBODY = frozenset("your you name user username someone example email yourname john.doe jane.doe johndoe janedoe".split())
_FREE_SAMPLES = frozenset("gmail hotmail yahoo outlook googlemail aol".split())
_VOCABULARIES = ("schema.org", "w3.org")
_TRACKERS = re.compile(r"(?:^|[.-])(?:sentry|wixpress|bugsnag|ingest)(?:[.-]|$)")
_hex = re.compile(r"[0-9a-f]{16,64}").fullmatch
_retina = re.compile(r"[1-9](?:-[0-9])?x(?:[-_].*)?").fullmatch
_version = re.compile(r"[v^~]?\d+(?:-.*)?").fullmatch
_TAGS = frozenset("latest next canary nightly experimental lts rc".split())
"""What names a release of a package; with `.dev` behind it no domain is meant."""
_DIGESTS = frozenset({"sha1", "sha256", "sha512", "md5"})
_REPOSITORIES = frozenset("github.com gitlab.com bitbucket.org codeberg.org ssh.dev.azure.com git.sr.ht ssh.github.com".split())


def is_rejected(address: Address, registered: str) -> bool:
    """Whether an address with a public domain is known to be nobody's; `registered` is its registrable domain."""
    local, _, domain = address.key.rpartition("@")
    return _is_file_or_version(domain) or _is_placeholder(local, domain, registered) or _is_machine(local, domain)


@lru_cache(maxsize=1_024)
def _is_file_or_version(domain: str) -> bool:
    """`logo@2x.zip`, `pkg@1.2.sh`, `pkg@latest.dev`; a domain of digits before its top level (163.com) is a domain."""
    labels = domain.split(".")
    if labels[-1] in ASSETS or _retina(labels[0]) or labels[0] in _DIGESTS:
        return True
    if labels[1:] == ["dev"] and labels[0] in _TAGS:
        return True
    return len(labels) > 2 and bool(_version(labels[0]) and _version(labels[1]))


def _is_placeholder(local: str, domain: str, registered: str) -> bool:
    name = registered.partition(".")[0]
    if name in _PLACEHOLDER_DOMAINS or domain.endswith(".example") or local in _PLACEHOLDER_LOCALS:
        return True
    if local in _VAGUE_LOCALS and (name in _VAGUE_DOMAINS or name == local):
        return True
    if (local in _NOBODY and name in _FREE_SAMPLES) or (local in _SAMPLE_PEOPLE and name in _SAMPLE_DOMAINS):
        return True
    return len(local) == 1 and len(name) == 1


def _is_machine(local: str, domain: str) -> bool:
    if domain.endswith(_VOCABULARIES) and any(domain == name or domain.endswith("." + name) for name in _VOCABULARIES):
        return True
    if _TRACKERS.search(domain) and (_hex(local) or domain.endswith("wixpress.com")):
        return True
    return local == "git" and domain in _REPOSITORIES
