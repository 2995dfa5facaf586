"""The log keeps domains and hides whose address it is."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from engine.logs import mask_addresses

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("ann.smith@example.com bounced", "***@example.com bounced"),
        ("<ann@example.com>, 'bob@mail.example.org'", "<***@example.com>, '***@mail.example.org'"),
        ("smtp://ann:pw@mail.example.com:25", "smtp://ann:***@mail.example.com:25"),
        ("no address @ all", "no address @ all"),
        ({"to": ["ann@example.com"], "ann@example.com": 1}, {"to": ["***@example.com"], "***@example.com": 1}),
        (("ann@example.com", 5), ["***@example.com", 5]),
        (5, 5),
        (None, None),
    ],
)
def test_addresses_are_masked_wherever_they_stand(said: object, logged: object) -> None:
    assert mask_addresses(logging.getLogger(), "info", {"event": "x", "value": said}) == {"event": "x", "value": logged}


def test_elsewhere_than_on_a_terminal_every_line_is_json_with_its_time_and_level() -> None:
    code = (
        "from engine.logs import configure_logs; import structlog; configure_logs(); log = structlog.get_logger();"
        "log.debug('not this'); log.info('sent', to='ann@example.com');"
        "exec('try:\\n 1/0\\nexcept Exception:\\n log.error(\"broken\", exc_info=True)')"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == ""
    first, second = map(json.loads, ran.stderr.splitlines())
    assert (first["event"], first["level"], first["to"]) == ("sent", "info", "***@example.com") and first["timestamp"].endswith(
        "Z"
    )
    assert second["level"] == "error" and "ZeroDivisionError" in second["exception"]
