"""Messages that earlier releases saved in the database, and how they read today.

Whoever rewords a message that is saved (reasons and log lines of trainings, changes of the version in use)
adds its old wording here; the {places} keep their names. Nobody else needs the old wording.
"""

from __future__ import annotations

PRESENT_WORDING = {
    "The disk is full: nothing was kept. Free some space, then start the training again.": (
        "The disk is full, so nothing was saved. Free some space, then start the training again."
    ),
    "The training was killed from outside of this site: ask who runs the machine, then start it again.": (
        "Another program killed the training. Ask whoever runs the machine, then start it again."
    ),
    "The training stopped at an error of the program. Look at the server's log, then start it again.": (
        "The training stopped because of a program error. Look at the server's log, then start it again."
    ),
}
