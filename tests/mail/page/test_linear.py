"""Twice the page is about twice the work, however the page is made to prevent it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from engine.mail.page import read_page, read_sitemap, read_text

URL = "https://www.kestrelworks.com/a/b.html"
SMALL = 8_000
"""Characters of the smallest page; the largest has sixteen times as many."""
STEPS = (1, 4, 16)
QUICK = 0.25
"""Seconds of processor time in which the largest page, of 128,000 characters, may be read whatever the ratios say."""
MOST = 10.0
"""Times the work for four times the page: quadratic work would be 16 times."""

PLAIN = [
    *(
        "@",
        "a@",
        "a.@",
        "a@a.",
        "a.",
        "-",
        "a-",
        "jane@kestrel.com ",
        "jane@kestrel.comA",
        "a@b.c",
        "//a@",
        "http://a:",
        "a:",
        "\\x",
        "%40",
    ),
    *(
        "[at]",
        "[at] ",
        "[",
        "(",
        "(a)",
        " at ",
        "a at b dot ",
        " dot ",
        "a [at] b [dot] ",
        "ATaDOT",
        " @ ",
        "_at_",
        "-at-",
        ".at.",
        "* ",
    ),
    *(
        "&#64;",
        "&#97;",
        "&#97",
        "&amp;",
        "&amp;amp;#64;",
        "&#",
        "&",
        "\u200b",
        "\u202e",
        "\u202ea",
        "＠",
        "ａ",
        "你@",
        "İ",
        "\n",
        "\x01",
        "\x02",
    ),
]
MARKUP = [
    *(
        "<",
        "<a ",
        '<a "',
        "<a '\"",
        "<!--",
        "<!-- -->",
        "</",
        "<div>",
        "<b>",
        "<a>",
        "<ul><li>",
        "<dl><dd>",
        "<div></p>",
        "<b></p>",
        "<i></div>",
    ),
    *(
        "<a><b><i><u>",
        "<table><tr><td>",
        "<table>x",
        "<svg><path>",
        "<math><mi>",
        "<template>",
        "<select><option>",
        "<button>",
        "<form>",
    ),
    *(
        "<b>@</b>",
        "<b>a</b>",
        "<b>a@</b>",
        "<b>a@b.c</b>",
        "<i>a</i>@",
        "<i>a.</i>",
        "a<wbr>",
        "a<!-- -->",
        "<i>[</i>at<i>]</i>",
        "<bdo dir=rtl>a@b",
    ),
    *(
        "<div hidden>",
        '<p style="display:none">',
        '<b style="unicode-bidi:bidi-override;direction:rtl">a',
        "<style>.a{display:none}</style>",
    ),
    *(
        "<p class=rot13>a@b",
        '<a href="mailto:a@kestrel.com,">',
        '<a href="mailto:%25%25@">',
        '<a href="/a/b">x</a>',
        '<a href="//">',
    ),
    *(
        '<a href="/../">',
        '<a data-cfemail="5a3f">',
        "<p data-user=a data-domain=b.com>",
        '<p data-mail="eA==">',
        '<i title="a@b">',
        "<p itemprop=email>",
    ),
    *('<meta name=author content="a@b.com">', "<iframe src=/a>", "<title>", "<p onclick=\"'a@'+\">", '<base href="/a/">', "<h1>"),
]
MARKUP += ["x [a] y ", "[a]x[.", "npm i ", "npm i a ", "npx a@b.com ", "npm i " + "a" * 60 + " ", "a@b.com npm i "]
MARKUP += ['<meta http-equiv=refresh content="0;url=/a">']
PROGRAMS = [
    '"a@"+',
    "'a@'+",
    "atob(",
    "[",
    "(",
    "x=x+x;'@';",
    "x='@';x+=x;",
    "'@'.split('').reverse().",
    "`${x}@",
    "/*@",
    '"\\',
    "//@\n",
    "@/a/",
]
PROGRAMS += ["String.fromCharCode(64,", "a@b.c;", "x.y.z@", "'<a@b>'+", "rot13('@')", "'@'.replace(/[a-z]/,", "{a:'@',"]
STYLES = ["a{", "/*", "@media{", ".a{display:none}", 'content:"@"', "content:'", ".a,", "}", "i{content:'a@b.c'}", "{"]
LINKED = ['{"email":', "[", '"email":"a@b', "email:'", "<!--", "\\u0040", '{"email":"a@b.com"},']


def pages() -> dict[str, Callable[[int], object]]:
    """Something to do with a text of that many characters, by a name."""

    def reading(head: str, piece: str, tail: str) -> Callable[[int], object]:
        return lambda size: read_page(head + piece * (size // len(piece)) + tail, URL)

    shapes = {f"page {piece!r}": reading("", piece, "") for piece in (*PLAIN, *MARKUP)}
    shapes |= {f"script {piece!r}": reading("<script>", piece, "</script>") for piece in PROGRAMS}
    shapes |= {f"style {piece!r}": reading("<style>", piece, "</style>") for piece in STYLES}
    shapes |= {f"json {piece!r}": reading('<script type="application/ld+json">', piece, "</script>") for piece in LINKED}
    shapes |= {f"text {piece!r}": lambda size, piece=piece: read_text(piece * (size // len(piece))) for piece in PLAIN}  # type: ignore[misc]
    for piece in ("<loc>", "<loc", "<", "<link ", "<loc>http://a", "a://\n", "<image:"):
        shapes[f"sitemap {piece!r}"] = lambda size, piece=piece: read_sitemap(piece.encode() * (size // len(piece)), URL)  # type: ignore[misc]
    return shapes


SHAPES = pages()


def seconds(work: Callable[[int], object], size: int) -> float:
    """Of processor time, the best of two."""
    best = float("inf")
    for _ in range(2):
        started = time.process_time()
        work(size)
        best = min(best, time.process_time() - started)
    return best


@pytest.mark.parametrize("name", SHAPES)
def test_four_times_the_page_is_not_sixteen_times_the_work(name: str) -> None:
    work = SHAPES[name]
    if seconds(work, SMALL * STEPS[-1]) <= QUICK:
        return
    for _ in range(3):
        times = [seconds(work, SMALL * step) for step in STEPS]
        ratio = times[-1] / max(times[-2], 1e-4)
        if times[-1] <= QUICK or ratio <= MOST:
            return
    taken = ", ".join(f"{1e3 * each:.0f}" for each in times)
    pytest.fail(f"{name}: {taken} ms for {STEPS} times {SMALL:,} characters; {ratio:.1f} times for the last step")
