"""An engine starts without pandas and leaves it importable."""

from __future__ import annotations

import subprocess
import sys

_CODE = """
import sys
from engine.__main__ import _keep_arrow_lean
_keep_arrow_lean()
from engine.jobs.generate_emails import Params, preview
assert len(preview(Params(count=10))) == 5
assert "pandas" not in sys.modules, "pandas was imported"
import pandas
assert pandas.DataFrame({"a": [1]}).shape == (1, 1)
"""


def test_generating_needs_no_pandas_and_pandas_still_imports():
    done = subprocess.run([sys.executable, "-W", "error", "-c", _CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
