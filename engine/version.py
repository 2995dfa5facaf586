"""The version of Postbench."""

VERSION = "0.1.0"
