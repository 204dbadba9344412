"""Readers by file type, archives and encodings: a file becomes a table of texts."""

from __future__ import annotations
