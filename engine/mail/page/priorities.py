"""Which pages of a site are likely to name addresses, by words in their URL or in the text of a link to them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from engine.mail.page.urls import without_numbers

CONTACT, IMPRINT, PEOPLE, PRESS, LEGAL, OTHER, UNLIKELY = range(7)

_WORDS = {
    CONTACT: """
        contact contacts contactus kontakt kontakte kontaktformular kontaktieren contacto contactos contactanos contatto
        contatti contato contatos contate contactez contacter nous-contacter contactez-nous kontakty kapcsolat elerhetoseg
        iletisim kontakta kontakti kontaktai kontaktid yhteystiedot yhteys ota-yhteytta ansprechpartner ansprechpersonen
        anfahrt kontakter susisiekite saziniai epikoinonia contacta fale-conosco faleconosco napiste-nam lien-he hubungi
        hubungi-kami reach-us get-in-touch getintouch email-us write-to-us контакты контакт контакти связаться связь
        επικοινωνία お問い合わせ 問い合わせ 联系我们 联系 聯絡我們 聯繫我們 聯絡 문의 연락처 اتصل صور-קשר צור-קשר otoiawase
        toiawase inquiry enquiry lianxi lianxiwomen
    """,
    IMPRINT: """
        impressum imprint impresum impressio anbieterkennzeichnung mentions-legales mentionslegales mentions aviso-legal
        avisolegal note-legali notelegali informacion-legal legal-notice legalnotice legal impressum-datenschutz colofon
        colophon tokusho tokutei 特定商取引法 site-notice provider-identification
    """,
    PEOPLE: """
        about about-us aboutus ueber-uns ueberuns uber-uns wir team teams our-team people staff personal mitarbeiter
        mitarbeitende mitarbeiterinnen leadership management vorstand geschaeftsfuehrung geschaeftsleitung board founders
        employees faculty members directory crew company unternehmen firma verein ueber-mich about-me who-we-are quienes-somos
        sobre sobre-nosotros sobre-nos nosotros equipo equipe l-equipe notre-equipe qui-sommes-nous a-propos apropos chi-siamo
        chisiamo azienda squadra persone quem-somos over-ons overons wie-zijn-wij medewerkers om-oss om-os omoss personale
        medarbetare medarbejdere ansatte henkilosto henkilokunta meista o-nas onas zespol o-firmie rolunk csapat munkatarsak
        hakkimizda ekip kadro despre despre-noi echipa o-nama tim за-нас о-нас о-компании команда сотрудники про-нас 会社概要
        会社案内 企業情報 关于我们 關於我們 公司简介 회사소개 אודות من-نحن gaiyou kaisha organisation organization struktur
        lehrkraefte kollegium professors researchers committee officers trustees speakers authors redaktion editorial editors
        sekretariat secretariat office offices locations standorte filialen branches sedi sedes
    """,
    PRESS: """
        press presse media mediakit press-kit newsroom prensa stampa imprensa pers pressemitteilungen pressekontakt medien
        jobs job career careers karriere stellenangebote stellen carrieres recrutement empleo trabaja-con-nosotros
        lavora-con-noi vacatures praca kariera investors investor-relations support help hilfe ayuda aide assistenza service
        kundenservice customer-service customer-support helpdesk partners partner haendler dealers distributors sponsors
        advertise mediadaten werbung
    """,
    LEGAL: """
        privacy privacy-policy privacypolicy datenschutz datenschutzerklaerung dsgvo gdpr confidentialite
        politique-de-confidentialite privacidad politica-de-privacidad privacidade privacyverklaring privacybeleid
        integritetspolicy tietosuoja ochrona-danych polityka-prywatnosci terms terms-of-service terms-of-use tos agb cgv cgu
        conditions condiciones termini termos voorwaarden regulamin disclaimer cookies security humans faq
    """,
    UNLIKELY: """
        login signin sign-in signup sign-up register cart warenkorb basket checkout wishlist account tag tags category
        categories search suche archive archives page product products produkt produkte shop store item download downloads
        gallery galerie video videos forum comments feed calendar kalender
    """,
}
_PLACES = {word: priority for priority, words in reversed(_WORDS.items()) for word in words.split()}
_SPLIT = str.maketrans("/_.+?=&", " " * 7)
_WORD = bytes.maketrans(b"/_.+?=&-", b" " * 8)
_MENTIONED = frozenset(word.encode() for words in _PLACES for word in words.split("-"))
_FOLD = str.maketrans("äöüéèêëáàâãåíìîïóòôõúùûñçßşğıøłśżźćńčřšžýěůőű", "aoueeeeaaaaaiiiioooouuuncssgiolszzcncrszyeuou")
_LONG = 40
_LONGEST_TEXT = 80


def priority_of(path: str, text: str) -> int:
    """How soon to follow a link, 0 to 6, of its path (with its query) and its text: the better of what both promise.

    A page deep below a promising one (`/press/2019/…`) promises less the deeper it lies.
    """
    return better(promise_of(without_numbers(path)), priorities_of([text])[0])


def better(promise: int, said: int) -> int:
    """The priority of a link whose path promises the one and whose text says the other; a text warns of nothing."""
    return min(promise, said) if said < OTHER else promise


def promise_of(series: str) -> int:
    """The priority of all paths that are this one but for its digits, each of which is a 0: no word that promises has one."""
    return _of_path(series.lower())


def priorities_of(texts: Sequence[str]) -> list[int]:
    """The priority of each of some texts, which have no line breaks."""
    lowered = without_numbers("\n".join(["", *texts]).lower()).split("\n")[1:]
    return [_of_text(low) if len(text) <= _LONGEST_TEXT else OTHER for text, low in zip(texts, lowered, strict=True)]


@lru_cache(maxsize=4_096)
def _of_path(path: str) -> int:
    """The priority of a path in lower case."""
    if path.isascii() and _MENTIONED.isdisjoint(path.encode().translate(_WORD).split()):
        return OTHER
    found, unlikely = OTHER, False
    for depth, segment in enumerate(reversed([segment for segment in path.split("/") if segment])):
        known = [_of_words(part) for part in segment.translate(_SPLIT).split()]
        unlikely = unlikely or UNLIKELY in known
        found = min([found, *(priority + min(2, depth) for priority in known if priority < OTHER)])
    return UNLIKELY if unlikely and found >= LEGAL else found


@lru_cache(maxsize=8_192)
def _of_words(part: str) -> int:
    """The priority of one part of a path, whole or by its words."""
    if len(part) > _LONG:
        return OTHER
    if (known := _PLACES.get(part)) is None and not part.isascii():
        part = part.translate(_FOLD)
        known = _PLACES.get(part)
    if known is None and "-" in part:
        known = min([_PLACES.get(word, OTHER) for word in part.split("-")])
    return OTHER if known is None else known


@lru_cache(maxsize=8_192)
def _of_text(text: str) -> int:
    """The priority of a text in lower case."""
    if text.isascii() and _MENTIONED.isdisjoint(text.replace(":", " ").encode().translate(_WORD).split()):
        return OTHER
    words = "-".join(text.replace("&", " ").split()).strip("-.:!?»›>…")
    return _of_words(words) if "-" in words or not words.isascii() else _PLACES.get(words, OTHER)
