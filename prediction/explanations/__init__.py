"""Explanations: a forecast split into what its inputs do to it, exactly."""

from __future__ import annotations
