"""The process that imports a file: its launcher, its entry point, and the pipeline that it runs."""

from __future__ import annotations
