"""Logging in: the mechanism that works everywhere first, each as its document says."""

from __future__ import annotations

from engine.net.submission_login import steps_for


def test_the_best_login_is_taken():
    def first(*offered: str) -> str:
        steps = steps_for(offered, "tim", "tanstaaftanstaaf")
        return next(steps).split()[1] if steps else ""

    assert [first("CRAM-MD5", "LOGIN", "PLAIN"), first("cram-md5", "login"), first("CRAM-MD5"), first("NTLM"), first()] == [
        *("PLAIN", "LOGIN", "CRAM-MD5", "", "")
    ]


def test_the_login_of_the_rfc():
    steps = steps_for(["CRAM-MD5"], "tim", "tanstaaftanstaaf")
    assert steps is not None
    next(steps)
    answer = steps.send("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")
    assert answer == "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw", "the example of RFC 2195 section 2"
