"""What the last weeks would have cost with other order rules: asked for, worked out as a job, shown."""

from __future__ import annotations
