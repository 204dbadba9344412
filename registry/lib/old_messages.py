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
    "It has no test result, so nobody knows how good it is.": "It has no test result to judge it by.",
    "Its forecasts are too high by {size:.1%}; at most {most:.0%} is allowed.": (
        "Its bias is {size:.1%} too high; at most {most:.0%} is allowed."
    ),
    "Its forecasts are too low by {size:.1%}; at most {most:.0%} is allowed.": (
        "Its bias is {size:.1%} too low; at most {most:.0%} is allowed."
    ),
    "It is tried once more, from what it has kept.": "Retrying from the last checkpoint.",
    "Stop was asked for.": "Stop requested.",
    "To finish now was asked for.": "Early finish requested.",
    "The server was stopped; the training goes on with it.": (
        "The server was stopped. The training will resume when it is back."
    ),
    "The training goes on where it was interrupted.": "Training resumed from its last checkpoint.",
    "The training starts again.": "Training restarted.",
    "The training starts.": "Training started.",
    "The training lost its worker twice. Look at the server's log, then start it again.": (
        "The training lost its worker twice. Check the server log, then start it again."
    ),
    "{method}, round {round}: error {error:.1%}, on check days {check:.1%}": (
        "{method}, round {round}: error {error:.1%}, validation error {check:.1%}"
    ),
    "{method}, round {round}: error {check:.1%} on check days": (
        "{method}, round {round}: validation error {check:.1%}"
    ),
    "The worker was lost; the training waits for another.": "The worker was lost. Waiting for another one.",
}
