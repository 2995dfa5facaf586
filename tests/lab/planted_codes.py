"""Planted addresses in attributes, ciphers, references, styles and scripts: technique, markup, addresses."""

from __future__ import annotations

import base64
import codecs
from urllib.parse import quote

HOST = "kestrelworks.com"


def cloudflare(email: str, key: int = 0x5A) -> str:
    """What Cloudflare writes for an address."""
    return bytes([key, *(byte ^ key for byte in email.encode())]).hex()


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def rotated(text: str) -> str:
    return codecs.encode(text, "rot13")


def referenced(text: str, kind: str = "d") -> str:
    """Every character as a reference, decimal (d), hexadecimal (x) or in turn plain, decimal and hexadecimal (m)."""
    forms = {"d": ["&#{};"], "x": ["&#x{:x};"], "m": ["{:c}", "&#{};", "&#x{:x};"]}[kind]
    return "".join(forms[place % len(forms)].format(ord(letter)) for place, letter in enumerate(text))


def codes(text: str) -> str:
    return ",".join(str(ord(letter)) for letter in text)


def typo3(text: str, offset: int) -> str:
    """The link as TYPO3's spam protection writes it."""
    shifted = []
    for letter in text:
        for low, high in ((0x2B, 0x3A), (0x40, 0x5A), (0x61, 0x7A)):
            if low <= ord(letter) <= high:
                letter = chr(low + (ord(letter) - low + offset) % (high - low + 1))
                break
        shifted.append(letter)
    return "".join(shifted)


_ROTATOR = 'replace(/[a-zA-Z]/g,function(c){return String.fromCharCode((c<="Z"?90:122)>=(c=c.charCodeAt(0)+13)?c:c-26);})'


def _cloudflare() -> list[tuple[str, str, str]]:
    """Cloudflare's protection."""
    label = "[email&#160;protected]"
    return [
        ("cfemail", f'<a class="__cf_email__" data-cfemail="{cloudflare("cf1@" + HOST)}">{label}</a>', f"cf1@{HOST}"),
        ("cfemail", f'<span data-cfemail="{cloudflare("cf2@" + HOST, 0xFF).upper()}">{label}</span>', f"cf2@{HOST}"),
        ("cfemail", f'<a href="/cdn-cgi/l/email-protection#{cloudflare("cf3@" + HOST)}">Write</a>', f"cf3@{HOST}"),
        (
            "cfemail",
            f'<a href="https://site.test/cdn-cgi/l/email-protection#{cloudflare("cf4@" + HOST)}">Write</a>',
            f"cf4@{HOST}",
        ),
        (
            "cfemail",
            f'<a href="/cdn-cgi/l/email-protection#{cloudflare("cf5@" + HOST + "?subject=Hi")}">Write</a>',
            f"cf5@{HOST}",
        ),
        ("cfemail", f'<p>Or <b data-cfemail="{cloudflare("Anna.Cf6@" + HOST, 0)}"></b></p>', f"Anna.Cf6@{HOST}"),
    ]


def _references() -> list[tuple[str, str, str]]:
    """Character references, once and more than once."""
    rows = [("entities", f"<p>{referenced(f'e{kind}1@{HOST}', kind)}</p>", f"e{kind}1@{HOST}") for kind in "dxm"]
    rows += [
        ("entities", f"<p>{referenced('e2@' + HOST).replace('&', '&amp;')}</p>", f"e2@{HOST}"),
        ("entities", f"<p>{referenced('e3@' + HOST).replace('&', '&amp;amp;')}</p>", f"e3@{HOST}"),
        ("entities", f"<p>e4&commat;{HOST.replace('.', '&period;')}</p>", f"e4@{HOST}"),
        ("entities", f"<p>e5&#64;{HOST}</p>", f"e5@{HOST}"),
        ("entities", f"<p>e6&#x40;{HOST}</p>", f"e6@{HOST}"),
        ("entities", f"<p>e7&#0000064;{HOST}</p>", f"e7@{HOST}"),
        ("entities", f"<p>{referenced('e8@' + HOST).replace(';', '')} </p>", f"e8@{HOST}"),
        ("mailto", f'<a href="{referenced("mailto:e9@" + HOST, "m")}">{referenced("e9@" + HOST, "m")}</a>', f"e9@{HOST}"),
        ("mailto", f'<a href="mailto:{quote("e10@")}{referenced(HOST, "x")}">x</a>', f"e10@{HOST}"),
    ]
    return rows


def _reversed() -> list[tuple[str, str, str]]:
    """Text written backwards."""
    style = "unicode-bidi:bidi-override; direction: rtl;"
    back = f"r{{}}@{HOST}"
    return [
        ("reversed", f'<span style="{style}">{back.format(1)[::-1]}</span>', back.format(1)),
        ("reversed", f'<bdo dir="rtl">{back.format(2)[::-1]}</bdo>', back.format(2)),
        (
            "reversed",
            f"<style>.rev{{direction:rtl;unicode-bidi:bidi-override}}</style><b class=rev>{back.format(3)[::-1]}</b>",
            back.format(3),
        ),
        ("reversed", f'<span style="{style}">{HOST[::-1]}<i>@</i>4r</span>', back.format(4)),
        ("reversed", f'r5@<span style="{style}">{HOST[::-1]}</span>', back.format(5)),
        ("reversed", f"<p>&#8238;{back.format(6)[::-1]}&#8236;</p>", back.format(6)),
        (
            "reversed",
            f"<style>code {{color:red}} code.m{{transform:scaleX(-1)}}</style><code class=m>{back.format(7)[::-1]}</code>",
            back.format(7),
        ),
        ("reversed", f'<span style="{style}">{HOST[::-1]}<b style="display:none">xyz</b>@8r</span>', back.format(8)),
    ]


def _attributes() -> list[tuple[str, str, str]]:
    """Attributes, whole and in halves."""
    pairs = [
        ("user", "domain"),
        ("name", "domain"),
        ("u", "d"),
        ("local", "host"),
        ("user", "site"),
        ("part1", "part2"),
        ("account", "server"),
    ]
    rows = [
        ("attribute", f'<a data-{user}="at-{user}" data-{domain}="{HOST}">Write</a>', f"at-{user}@{HOST}")
        for user, domain in pairs
    ]
    name, _, top = HOST.rpartition(".")
    return [
        *rows[:4],
        *rows[5:],
        ("attribute", f'<i data-user="at8" data-domain="{name}" data-tld="{top}">x</i>', f"at8@{HOST}"),
        ("attribute", f'<i data-user="at9" data-website="{HOST}">x</i>', f"at9@{HOST}"),
        ("attribute", f'<i data-email="at10@{HOST}">x</i>', f"at10@{HOST}"),
        ("attribute", f'<i data-mail="{in_base64("at11@" + HOST)}">x</i>', f"at11@{HOST}"),
        ("attribute", f'<i data-email="{("at12@" + HOST)[::-1]}">x</i>', f"at12@{HOST}"),
        ("obfuscated", f'<i data-email="at13 [at] {HOST}">x</i>', f"at13@{HOST}"),
        ("attribute", f'<i data-contact="{quote("at14@" + HOST)}">x</i>', f"at14@{HOST}"),
        ("attribute", f'<img src="x.png" alt="at15@{HOST}">', f"at15@{HOST}"),
        ("attribute", f'<abbr title="Write to at16@{HOST}">x</abbr>', f"at16@{HOST}"),
        ("attribute", f'<input value="at17@{HOST}">', f"at17@{HOST}"),
        ("attribute", f'<button aria-label="Mail at18@{HOST}">x</button>', f"at18@{HOST}"),
        ("attribute", f'<a href="/form?to=at19@{HOST}">Write</a>', f"at19@{HOST}"),
        ("attribute", f'<a href="at20@{HOST}">Write</a>', f"at20@{HOST}"),
        ("attribute", f'<a href="https://post.test/?to=at25%40{HOST}">Write</a>', f"at25@{HOST}"),
        (
            "attribute",
            f'<a data-mailto-token="{typo3("mailto:at26@" + HOST, 2)}" data-mailto-vector="2" href="#">x</a>',
            f"at26@{HOST}",
        ),
        ("rot13", f'<a data-href="{rotated("mailto:at21@" + HOST)}">x</a>', f"at21@{HOST}"),
        ("rot13", f'<span class="rot13">{rotated("at22@" + HOST)}</span>', f"at22@{HOST}"),
        ("rot13", f'<a href="#" data-rot13="{rotated("at23@" + HOST)}">x</a>', f"at23@{HOST}"),
        ("rot13", f'<a href="{rotated("mailto:at24@" + HOST)}">x</a>', f"at24@{HOST}"),
        ("style", f'<style>.mail::after{{content:"st1@{HOST}"}}</style><i class=mail></i>', f"st1@{HOST}"),
        ("style", f"<style>.mail:before{{content:'st2\\40{HOST}' }}</style>".replace("\\40", "\\40 "), f"st2@{HOST}"),
        ("style", f'<style>i:after{{content:"st3" "@" "{HOST}"}}</style><i></i>', f"st3@{HOST}"),
    ]


def _scripts() -> list[tuple[str, str, str]]:
    """Scripts that write an address."""
    address = f"s{{}}@{HOST}"
    programs = [
        f'document.write("s1@{HOST}")',
        f'document.write("s2" + "@" + "{HOST}");',
        f"var u = 's3', d = '{HOST}'; document.write(u + '@' + d);",
        f'let a="s4";let b="@";const c="{HOST}";el.href="mailto:"+a+b+c;',
        f"document.write('<a href=\"mailto:s5@{HOST}\">x</a>')",
        f"document.write('<a href=\"mailto:' + 's6' + '@' + '{HOST}' + '\">x</a>');",
        f'el.href = atob("{in_base64("mailto:s7@" + HOST)}")',
        f'location = window.atob("{in_base64("s8@" + HOST)}")',
        f"document.write(String.fromCharCode({codes('s9@' + HOST)}))",
        f"document.write(String.fromCharCode({','.join(hex(ord(x)) for x in 's10@' + HOST)}))",
        f"document.write(unescape('{''.join(f'%{ord(x):02x}' for x in 's11@' + HOST)}'))",
        f"document.write(decodeURIComponent('s12%40{HOST}'))",
        f'x = ["s13", "{HOST}"].join("@")',
        f"x = '{address.format(14)[::-1]}'.split('').reverse().join('')",
        f'x = "s15#{HOST}".replace("#", "@")',
        f"x = `s16@{HOST}`; y = `mailto:${{x}}`",
        f"const user='s17'; const host='{HOST}'; x = `${{user}}@${{host}}`",
        f'x = "s18\\x40{HOST}"',
        f'x = "s19\\u0040{HOST}"',
        f'var m = {{user: "s20", host: "{HOST}"}}; x = m.user + "@" + m.host;',
        f'var s = "s21"; s += "@"; s += "{HOST}"; el.textContent = s;',
        f'x = "s22".concat("@", "{HOST}")',
        f"x = 's23' + String.fromCharCode(64) + '{HOST}'",
        f'x = "s24&#64;{HOST}"',
        f"x = 's25<span>@</span>{HOST}'",
        f'x = ("s26" + ("@" + ("{HOST}")))',
        f"var p = ['s27', '@', '{HOST}']; x = p[0] + p[1] + p[2]",
        f"x = ['{HOST}', '@', 's28'].reverse().join('')",
        f"mail('s29 [at] {HOST}')",
        f"el.setAttribute('href', 'mailto:s30@{HOST}')",
        f"document.write(String.fromCharCode.apply(null, [{codes('s31@' + HOST)}]))",
        f"[{codes('s32@' + HOST)}].forEach(function (c) {{ t += String.fromCharCode(c) }})",
    ]
    rows = [("script", f"<script>{program}</script>", address.format(place)) for place, program in enumerate(programs, 1)]
    return [
        *rows,
        ("script", f'<script type="application/json">{{"props":{{"to":"s33@{HOST}"}}}}</script>', address.format(33)),
        ("script", f"<a href=\"javascript:void(location='mailto:'+'s34'+'@'+'{HOST}')\">x</a>", address.format(34)),
        ("script", f"<a href=\"#\" onclick=\"location.href='mailto:'+'s35'+'@'+'{HOST}'\">x</a>", address.format(35)),
        ("script", f"<a href=\"javascript:linkTo_UnCryptMailto('{typo3('mailto:s36@' + HOST, 2)}');\">x</a>", address.format(36)),
        (
            "script",
            f"<a href=\"javascript:linkTo_UnCryptMailto('{typo3('mailto:s37@' + HOST, -3)}');\">x</a>",
            address.format(37),
        ),
        (
            "script",
            f'<a href="javascript:linkTo_UnCryptMailto(%27{typo3("mailto:s41@" + HOST, -3)}%27);">x</a>',
            address.format(41),
        ),
        ("rot13", f'<a data-enc-email="{rotated("s42")}[at]{rotated(HOST)}">x</a>', address.format(42)),
        ("rot13", f'<a data-rot13="{rotated("s43@kestrel.se")}">x</a>', "s43@kestrel.se"),
        ("rot13", f'<script>x = "{rotated("s38@" + HOST)}".{_ROTATOR}</script>', address.format(38)),
        ("rot13", f"<script>document.write(rot13('{rotated('s39@' + HOST)}'))</script>", address.format(39)),
        ("rot13", f"<script>x = decode('{rotated('mailto:s40@' + HOST)}')</script>", address.format(40)),
    ]


CODED: tuple[tuple[str, str, str], ...] = (*_cloudflare(), *_references(), *_reversed(), *_attributes(), *_scripts())
