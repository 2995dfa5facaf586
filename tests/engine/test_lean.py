"""An engine starts without what it may never need, and leaves it importable."""

from __future__ import annotations

import subprocess
import sys

_CODE = """
import sys
from engine.__main__ import _keep_arrow_lean
_keep_arrow_lean()
from engine.jobs.generate_emails import Params, preview
assert len(preview(Params(count=10))) == 5
import engine.execution
early = {"pandas", "bs4", "dkim", "flufl", "xllamacpp"} & sys.modules.keys()
assert not early, f"{early} imported at the start"
import pandas
assert pandas.DataFrame({"a": [1]}).shape == (1, 1)
"""


def test_a_start_imports_nothing_big_that_it_does_not_need():
    done = subprocess.run([sys.executable, "-W", "error", "-c", _CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
