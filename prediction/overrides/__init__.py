"""Overrides: what people know and the model does not. They change the numbers of a forecast run when it is
made; those of the model are kept beside the final ones.
"""

from __future__ import annotations
