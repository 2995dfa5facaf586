"""What can be wrong with a message: with its templates, or with one recipient's row."""

from __future__ import annotations


class TemplateFlaw(ValueError):
    """The template can't be used for anybody; the message is a sentence for its author, with the line."""


class RowFlaw(ValueError):
    """No message can be made for this recipient; the message is a sentence that names the variable, never its value."""
