"""More planted addresses and traps, in the ways of site builders, frameworks and plugins: written when the reader was done.

What the reader made of them at first sight says more than what it makes of pages that it was written with; see bench/README.md.
"""

from __future__ import annotations

from html import escape
from json import dumps

from tests.lab.planted_codes import cloudflare, codes, in_base64, referenced, rotated

H = "quayside-labs.org"


def _json(email: str) -> str:
    return dumps({"page": {"contact": {"label": "Write to us", "email": email}}})


def _island(email: str) -> str:
    return escape(dumps({"email": [0, email], "size": [0, 3]}))


_BUILDERS = (
    # Drupal's SpamSpan, WordPress's antispambot, Joomla's cloaking, TYPO3's (at), Contao, SPIP, Email Encoder.
    (
        '<span class="spamspan"><span class="u">nils</span> [at] <span class="d">quayside-labs [dot] org</span></span>',
        f"nils@{H}",
    ),
    (f"<p>{referenced('w')}p{referenced('.b')}lo{referenced('g@')}quay{referenced('side-')}labs.org</p>", f"wp.blog@{H}"),
    (
        "<span id=c1></span><script>var prefix='&#109;a'+'i&#108;'+'&#116;o';var addy1='j&#111;&#111;m'+'&#64;';"
        "addy1=addy1+'qu&#97;ys&#105;d&#101;-l&#97;bs'+'&#46;'+'&#111;rg';"
        "document.getElementById('c1').innerHTML+='<a href=\"'+prefix"
        "+':'+addy1+'\">'+addy1+'</a>';</script>",
        f"joom@{H}",
    ),
    ("<p>typo<span>(at)</span>quayside-labs<span style=\"display:none\">.remove-this.</span>.org</p>", f"typo@{H}"),
    ("<p>contao&#32;<span>&#91;at&#93;</span>&#32;quayside-labs&#46;org</p>", f"contao@{H}"),
    (
        "<a href=\"#spip#mc#spip\" title=\"spip..&aring;t..quayside-labs.org\" "
        f"onclick=\"location.href='mai'+'lto:'+'spip'+'@'+'{H}'\">x</a>",
        f"spip@{H}",
    ),
    (f'<span class="eeb" data-enc-email="{rotated("coder@" + H)}">x</span>', f"coder@{H}"),
    (
        f'<joomla-hidden-mail first="{in_base64("jhm")}" last="{in_base64(H)}" text="{in_base64("jhm@" + H)}">'
        "x</joomla-hidden-mail>",
        f"jhm@{H}",
    ),
    (
        f"<script>var a='hive',b='{H}';document.write('<a hr'+'ef=\"mai'+'lto:'+a+'\\100'+b+'\">'+a+'\\100'+b+'</a>')</script>",
        f"hive@{H}",
    ),
    ('<a class="mailto" href="mailto:hugo&#x40;quayside-labs&#x2e;org">hugo</a>', f"hugo@{H}"),
    (f'<div class="elementor-icon-list-text"><span>el.ementor@{H}</span></div>', f"el.ementor@{H}"),
    (f'<p class="has-text-align-center"><a href="mailto:gut@{H}?Subject=Hello"><mark>gut@</mark>{H}</a></p>', f"gut@{H}"),
    (f'<a href="mailto:squarespace@{H}" target="_self" data-preserve-html-node="true">Say hi</a>', f"squarespace@{H}"),
    (f'<a data-auto-recognition="true" href="mailto:wix@{H}" class="wixui-rich-text__text">wix@{H}</a>', f"wix@{H}"),
    (
        f'<span class="__cf_email__" data-cfemail="{cloudflare("flare.two@" + H, 0x17)}">[email&nbsp;protected]</span>',
        f"flare.two@{H}",
    ),
)  # fmt: skip
_FRAMEWORKS = (
    (f'<script id="__NEXT_DATA__" type="application/json">{_json("next@" + H)}</script>', f"next@{H}"),
    (f'<script>self.__next_f.push([1,"5:[\\"$\\",\\"a\\",null,{{\\"href\\":\\"mailto:rsc@{H}\\"}}]"])</script>', f"rsc@{H}"),
    (f"<script>window.__NUXT__=(function(a,b){{return {{data:[{{email:a,n:b}}]}}}}(\"nuxt@{H}\",1))</script>", f"nuxt@{H}"),
    (f"<script>window.__INITIAL_STATE__=JSON.parse({dumps(_json('state@' + H))})</script>", f"state@{H}"),
    (f'<script>window.__APOLLO_STATE__={_json("apollo@" + H)}</script>', f"apollo@{H}"),
    (f'<astro-island props="{_island("astro@" + H)}" client="idle"></astro-island>', f"astro@{H}"),
    (f'<div wire:snapshot="{escape(_json("wire@" + H))}">x</div>', f"wire@{H}"),
    (f'<div x-data="{{ email: \'alpine@{H}\', open: false }}">x</div>', f"alpine@{H}"),
    (f'<contact-card email="card@{H}" name="Ada"></contact-card>', f"card@{H}"),
    (f'<div data-page="{escape(_json("inertia@" + H))}" id="app"></div>', f"inertia@{H}"),
    (f'<div data-props="{escape(_json("react.props@" + H))}"></div>', f"react.props@{H}"),
    (f'<template><p>Mail: tmpl@{H}</p></template><p>See above</p>', ""),
    (f'<div><template shadowrootmode="open"><p>shadow@{H}</p></template></div>', f"shadow@{H}"),
    (f'<script type="text/x-component">{{"mail":"xc@{H}"}}</script>', f"xc@{H}"),
    (f'<script>const cfg = {{ support: "cfg" + "@" + "{H}" }}; export default cfg;</script>', f"cfg@{H}"),
    (f"<script>const at = String.fromCharCode(0x40); el.textContent = `tick${{at}}{H}`;</script>", f"tick@{H}"),
    (f"<script>e=[{codes('codes@' + H)}];d='';for(i=0;i<e.length;i++)d+=String.fromCharCode(e[i]);</script>", f"codes@{H}"),
    (f"<script>var em = 'unesc%40{H}'; location.href = 'mailto:' + unescape(em);</script>", f"unesc@{H}"),
    (f"<button onclick=\"window.location.assign('mailto:btn@{H}')\">Mail</button>", f"btn@{H}"),
    (f"<button @click=\"open('mailto:vue@{H}')\">Mail</button>", f"vue@{H}"),
)  # fmt: skip
_MARKUP = (
    (f'<div class="vcard"><span class="fn">Ada</span> <a class="email" href="mailto:hcard@{H}">mail</a></div>', f"hcard@{H}"),
    (f'<div class="h-card"><data class="u-email" value="mailto:mf2@{H}">x</data></div>', f"mf2@{H}"),
    (f'<div vocab="https://schema.org/" typeof="Person"><span property="email">rdfa@{H}</span></div>', f"rdfa@{H}"),
    (f'<html><head><meta property="og:email" content="og@{H}"></head><body>x</body></html>', f"og@{H}"),
    (f'<html><head><meta property="business:contact_data:email" content="biz@{H}"></head><body>x</body></html>', f"biz@{H}"),
    (f'<html><head><link rev="made" href="mailto:rev@{H}"></head><body>x</body></html>', f"rev@{H}"),
    (
        f'<script type="application/ld+json">[{{"@type":"Organization","contactPoint":{{"email":"ld.a@{H}"}}}}]</script>',
        f"ld.a@{H}",
    ),
    (f'<script type="application/ld+json">{{"@type":"LocalBusiness","sameAs":["mailto:ld.b@{H}"]}}</script>', f"ld.b@{H}"),
    (f'<svg viewBox="0 0 10 10"><text x="1">svg@{H}</text></svg>', f"svg@{H}"),
    (f'<svg><a xlink:href="mailto:xl@{H}"><text>x</text></a></svg>', f"xl@{H}"),
    (f"<address>Quayside Labs<br>1 Quay Road<br>e: addr@{H}<br>t: 555</address>", f"addr@{H}"),
    (f"<table><tr><th>Mail</th><td>tab.le<br></td></tr><tr><td>E</td><td>t.d@{H}</td></tr></table>", f"t.d@{H}"),
    (f"<select><option value='opt@{H}'>Sales</option></select>", f"opt@{H}"),
    (f"<form><input type=hidden name=recipient value='hid@{H}'></form>", f"hid@{H}"),
    (f"<details><summary>Contact</summary>det@{H}</details>", f"det@{H}"),
    (f"<iframe srcdoc=\"&lt;p&gt;doc@{H}&lt;/p&gt;\"></iframe>", f"doc@{H}"),
    (f"<pre>BEGIN:VCARD\nFN:Ada\nEMAIL;TYPE=work:vcf@{H}\nEND:VCARD</pre>", f"vcf@{H}"),
    (f"<pre>ORGANIZER;CN=Ada:MAILTO:ics@{H}</pre>", f"ics@{H}"),
    (f"<p>Ada Lind&lt;angle@{H}&gt;, Bo Ek &lt;angle.two@{H}&gt;</p>", f"angle@{H} angle.two@{H}"),
    (f"<p>Mail:<a>l1</a><a>@</a><a>{H}</a></p>", ""),
    (f"<p><span class=user>l2</span><span class=at>@</span><span class=host>{H}</span></p>", f"l2@{H}"),
    ("<p>l3<span>&#64;</span>quayside<span>-</span>labs.org</p>", f"l3@{H}"),
    ("<p>l4<!--x-->&#64;<!--y-->quayside&#45;labs&#46;<!-- z -->org</p>", f"l4@{H}"),
    (f"<ul><li>E <b>b1@{H}</b></li><li>F <b>b2@{H}</b></li></ul>", f"b1@{H} b2@{H}"),
    (f"<p>b3@{H}/b4@{H} | b5@{H}</p>", f"b3@{H} b4@{H} b5@{H}"),
    (f"<p>b6@{H}·b7@{H} • b8@{H}</p>", f"b6@{H} b7@{H} b8@{H}"),
    (f"<p>Correo electrónico:b9@{H}Teléfono:555</p>", f"b9@{H}"),
    (f"<p>✉ c1@{H} ☎ 555</p>", f"c1@{H}"),
    (f"<p>✉️c2@{H}📞555</p>", f"c2@{H}"),
    (f"<p>メール：c3@{H}（担当：山田）</p>", f"c3@{H}"),
    (f"<p>이메일 c4@{H}으로 보내주세요</p>", f"c4@{H}"),
    (f"<p>البريد: c5@{H}</p>", f"c5@{H}"),
    ("<p>C6@Quayside-Labs.ORG</p>", f"C6@{H}"),
    (f"<p>c7@{H}…</p><p>[c8@{H}](mailto:c8@{H})</p>", f"c7@{H} c8@{H}"),
    (f'<img src="x.png" title="c9@{H}" alt="">', f"c9@{H}"),
    (f'<a href="https://mail.google.com/mail/?view=cm&amp;to=gm@{H}">x</a>', f"gm@{H}"),
    (f'<a href="mailto:Ada%20Lind%3Cpct@{H}%3E">x</a>', f"pct@{H}"),
    (f'<a href="mailto:%E2%80%8Bzero@{H}">x</a>', f"zero@{H}"),
    (f'<a href="mailto: ?subject=x&amp;to=later@{H}">x</a>', f"later@{H}"),
    (f'<a href="http://mailto:oops@{H}">x</a>', f"oops@{H}"),
)  # fmt: skip
_WORDS = (
    ("<p>Name AT quayside-labs DOT org: ada.d1 AT quayside-labs DOT org</p>", f"ada.d1@{H}"),
    ("<p>d2 (ät) quayside-labs.org</p>", f"d2@{H}"),
    ("<p>d3 -at- quayside-labs.org</p>", f"d3@{H}"),
    ("<p>d4 &lt;at&gt; quayside-labs.org</p>", f"d4@{H}"),
    ("<p>d5[AT]quayside-labs[.]org</p>", f"d5@{H}"),
    ("<p>d6 {arroba} quayside-labs {punto} org</p>", f"d6@{H}"),
    ("<p>d7 [chez] quayside-labs [point] org</p>", f"d7@{H}"),
    ("<p>d8 (apestaart) quayside-labs (punt) org</p>", f"d8@{H}"),
    ("<p>d9 [Klammeraffe] quayside-labs [Punkt] org</p>", f"d9@{H}"),
    ("<p>e1 _at_ quayside-labs _dot_ org</p>", f"e1@{H}"),
    ("<p>e2 ((at)) quayside-labs.org</p>", f"e2@{H}"),
    ("<p>e3 [at sign] quayside-labs [dot] org</p>", f"e3@{H}"),
    ("<p>e4 (at)&nbsp;quayside-labs&nbsp;(dot)&nbsp;org</p>", f"e4@{H}"),
    ("<p>e5 [ÄT] quayside-labs [PUNKT] org</p>", f"e5@{H}"),
    ("<p>Schreiben Sie an e6 (bei) quayside-labs (punkt) org</p>", f"e6@{H}"),
    ("<p>e7 [a] quayside-labs [.] org</p>", f"e7@{H}"),
    ("<p>e8 =at= quayside-labs.org</p>", f"e8@{H}"),
    ("<p>Email: e9 [@] quayside-labs [.] org</p>", f"e9@{H}"),
)

UNSEEN: tuple[tuple[str, str], ...] = (*_BUILDERS, *_FRAMEWORKS, *_MARKUP, *_WORDS)
"""Markup and the addresses in it; none where a reader of the page sees none."""

UNSEEN_TRAPS: tuple[str, ...] = (
    # Packages, modules, actions, images of containers.
    "<code>npm i @types/node@20.11.5</code>",
    "<code>go get golang.org/x/net@v0.21.0</code>",
    "<pre>uses: actions/checkout@v4.1.0</pre>",
    "<code>pnpm dlx create-app@latest.dev</code>",
    "<code>pip install pkg@git+https://github.com/org/pkg.git</code>",
    "<code>docker run ghcr.io/org/app@sha256:0a1b.io</code>",
    '<script type="importmap">{"imports":{"lit":"https://cdn.skypack.dev/lit@2.0.0"}}</script>',
    '<script src="https://unpkg.com/htmx.org@1.9.10"></script>',
    '<script>import("https://esm.run/d3@7.8.5/+esm")</script>',
    "<code>deno run jsr:@std/http@1.0.0/file-server.ts</code>",
    # Files and pictures.
    '<picture><source srcset="/a@1x.avif 1x, /a@2x.avif 2x"><img src="/icon-76x76@2x~ipad.png"></picture>',
    '<div style="background:image-set(url(h@1x.webp) 1x)">x</div>',
    "<p>IMG_2041@night.heic, draft@v2.pptx, scan@300dpi.tiff</p>",
    '<a href="/dl/setup@stable.exe">Get</a> <a href="/dl/app@beta.dmg">Mac</a>',
    '<link rel="preload" href="/fonts/inter@4.woff2" as="font">',
    # Code.
    "<pre>@app.route('/')\n@pytest.mark.slow\n@click.option()</pre>",
    "<pre>ssh -p 22 admin@bastion.quayside-labs.org:/etc</pre>",
    "<pre>rsync -a deploy@web1.quayside-labs.org:/srv/ .</pre>",
    "<pre>git remote add o git@codeberg.org:quay/labs.git</pre>",
    "<pre>postgres://app:pw@db.quayside-labs.org:5432/app</pre>",
    "<pre>redis://:pw@cache.quayside-labs.org/0 amqp://g:g@mq.quayside-labs.org//</pre>",
    "<pre>[ada@build.quayside-labs.org ~]$ make</pre>",
    "<code>curl -u user:pw@proxy.quayside-labs.org</code>",
    '<script>var x = "@media (max-width:1px){a@b.c}"; y = a@b;</script>',
    "<script>const re=/^[^@]+@[^@]+\\.com$/;</script>",
    '<script>dsn:"https://a1b2c3d4e5f60718293a4b5c6d7e8f90@o4.ingest.us.sentry.io/4"</script>',
    # Handles and places.
    "<p>Matrix: @ada:quayside-labs.org</p>",
    "<p>Mastodon: @quay@floss.social</p>",
    '<a href="https://floss.social/@quay@other.social">x</a>',
    '<a href="https://www.youtube.com/@quayside.labs">x</a> <a href="https://www.tiktok.com/@quay.co">y</a>',
    "<p>TikTok @quay.labs | Threads @quay.labs.co</p>",
    "<p>Photo: @ada.photos for @quay.media</p>",
    "<p>Tonight 9pm @ dock.bar with DJ @mo.live</p>",
    "<p>3 kg @ 4.50 and 10 pcs @ 1.20.each</p>",
    '<a href="https://www.google.com/maps/@52.52,13.40,15z">Map</a>',
    # Examples in forms and prose.
    "<p>Format: ad.soyad@sirket.com.tr</p>",
    "<p>namn@foretag.se eller navn@firma.no</p>",
    "<p>vas@email.cz</p>",
    "<p>nev@pelda.hu</p>",
    "<p>sample@sample.co.jp</p>",
    "<p>seunome@seudominio.com.br</p>",
    "<p>jan.kowalski@example.pl</p>",
    "<p>nama@email.com or anda@contoh.com</p>",
    "<p>username@provider.com, me@mysite.com</p>",
    "<p>jane.doe@acme.example and x@test.invalid</p>",
    '<input type="email" placeholder="you@work.co" aria-label="name@work.com">',
    '<a href="mailto:?subject=Look&amp;body=https://quayside-labs.org">Share</a>',
    '<a href="mailto:%20">x</a> <a href="mailto:@quayside-labs.org">y</a>',
    # Prose.
    "<p>We meet at quayside-labs.org headquarters.</p>",
    "<p>Look at quayside-labs dot org slash news.</p>",
    "<p>Was founded (at that time) in Oslo.</p>",
    "<p>Offices [at] the harbour [dot] Open daily</p>",
    "<p>See fig. 3 (a) at quayside-labs.org/figures</p>",
    "<p>bot@quayside-labs, admin@local, root@localhost.localdomain</p>",
    "<p>@quayside-labs.org mailboxes only</p>",
    "<p>*@quayside-labs.org and %@quayside-labs.org</p>",
    "<div hidden><p>pot@quayside-labs.org</p></div>",
    '<span style="position:absolute;left:-9999px">pot2@quayside-labs.org</span>',
    '<p style="color:#fff;opacity:0">pot3@quayside-labs.org</p>',
    '<p aria-hidden="true" style="visibility:hidden">pot4@quayside-labs.org</p>',
)
"""Markup in which nothing is anybody's address."""
