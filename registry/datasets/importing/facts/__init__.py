"""What is known of sales without reading their rows."""

from __future__ import annotations
