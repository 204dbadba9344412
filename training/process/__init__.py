"""The child process in which a training runs: its limits, and why it ended."""
