"""The list of jobs."""

from pages.parts.archive import archive

archive()
