"""HTML as text and as a preview: what is kept, what is left out, and that neither fails."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.message.plain_text import html_to_text
from engine.mail.message.previews import safe_preview


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>News</h1><p>One\n  two</p><p>Three</p>", "News\n\nOne two\n\nThree"),
        ("a<br>b<br/><br>c", "a\nb\n\nc"),
        ("<ul><li>one</li><li>two<ul><li>in</li></ul></li></ul>after", "- one\n- two\n\n- in\n\nafter"),
        ("<table><tr><td>a</td><td> b </td><td></td></tr><tr><th>c</th></tr></table>", "a | b\nc"),
        (
            '<a href="https://x.test/a">here</a> and <a href="https://x.test">https://x.test</a>',
            "here (https://x.test/a) and https://x.test",
        ),
        ('<a href="mailto:a@x.test">write</a> <a href="mailto:a@x.test">a@x.test</a>', "write (a@x.test) a@x.test"),
        ('<a href="#top">up</a><a href="javascript:x()">run</a>', "uprun"),
        ("<head><title>t</title></head><style>p{}</style><script>x()</script>Hi<!-- no -->", "Hi"),
        ('<p hidden>no</p><div style="color:red; DISPLAY : none">no</div><p>yes</p>', "yes"),
        ('<img src="x.png" alt="A picture"><img src="y.png">', "A picture"),
        ("Tom &amp; J&eacute;r&#244;me &lt;3 &nbsp; x", "Tom & Jérôme <3 x"),
        ("<p>a</p>\n\n\n<p></p><div><div>b</div></div>", "a\n\nb"),
        ("<!--[if mso]>no<![endif]--><![if !mso]>yes<![endif]>", "yes"),
        ("x<hr>y", "x\n\n---\n\ny"),
        ("", ""),
    ],
)
def test_words_as_people_read_them(html, text):
    assert html_to_text(html) == text


def test_depth_is_no_limit():
    assert html_to_text("<div>" * 50_000 + "deep") == "deep"
    assert safe_preview("<div>" * 50_000 + "deep").count("<div>") < 1_000


_PIECES = """
    <p> </p> <a$href='https://x.test'> <a$href=javascript:x> </a> <script> </script> <style> </style> <! <![ <!-- --> <? &lt; &#0;
    & <svg> <math> <img$src=x$onerror=y> <td> <textarea> <plaintext> ' " > <p$style="background:url(x)"> <b$onclick=x text $ <br>
    <iframe$srcdoc='<p>'> <noscript> </noscript>
"""
_pieces = st.sampled_from([piece.replace("$", " ") for piece in _PIECES.split()])
_html = st.lists(_pieces, max_size=15).map("".join) | st.text(max_size=60)


@given(_html)
def test_any_html_gives_text(html):
    text = html_to_text(html)
    assert "\n\n\n" not in text
    assert text == text.strip("\n ")


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ('<p onclick="x()" style="color: red" id="a">Hi</p>', '<p style="color: red">Hi</p>'),
        ("<script>x()</script><style>p{}</style><p>a", "<p>a</p>"),
        ('<img src="https://x.test/pixel.gif" alt="A & B"><img src="cid:1">', "A &amp; B"),
        ('<img src="data:image/png;base64,AAAA" alt="dot">', '<img alt="dot" src="data:image/png;base64,AAAA">'),
        ('<img src="data:image/svg+xml;base64,AAAA">', ""),
        ("<form action=/x><input name=a><button>go</button>words</form>", "words"),
        ("<a href=' JavaScript:x()'>a</a>", "<a>a</a>"),
        (
            "<a href='https://x.test/?a&b'>a</a>",
            '<a href="https://x.test/?a&amp;b" target="_blank" rel="noopener noreferrer nofollow">a</a>',
        ),
        ('<td style="background:url(http://x); color: red; width: 1px">a</td>', '<td style=" color: red; width: 1px">a</td>'),
        ('<p style="background:u\\72l(http://x)">a</p>', "<p>a</p>"),
        ("<meta http-equiv=refresh content=0><base href=//x><link rel=stylesheet href=//x>a", "a"),
        ("<svg><script>x</script></svg><math><mi>x</mi></math>b", "b"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("<p title='\"><script>x</script>'>a</p>", '<p title="&#34;&gt;&lt;script&gt;x&lt;/script&gt;">a</p>'),
    ],
)
def test_a_preview_shows_and_does_nothing_else(html, shown):
    assert safe_preview(html) == shown


@given(_html)
def test_any_preview_is_harmless(html):
    shown = safe_preview(html)
    assert not re.search(r"<(?!/?[a-z0-9]+[ >])", shown)
    for tag in BeautifulSoup(shown, "html.parser").find_all():
        assert tag.name not in ("script", "style", "iframe", "svg", "math", "form", "textarea", "noscript", "plaintext")
        assert not any(name.startswith("on") or name in ("srcdoc", "id", "name", "action") for name in tag.attrs)
        assert str(tag.get("href", "https:")).startswith(("https:", "http:", "mailto:", "tel:"))
        assert "url" not in str(tag.get("style", ""))
