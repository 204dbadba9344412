"""The routes of the API, one module for each noun."""

from __future__ import annotations
