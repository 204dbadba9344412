"""The JSON API for programs under /api/v1, and the keys that open it.

A route checks the key, reads the request and calls the verb that page and command use.
"""

from __future__ import annotations
