"""Jobs of the light queue that belong to no app."""

from __future__ import annotations

from dataclasses import replace

from django_q.tasks import async_task

from forecastsite.cleanup import NOT_BEGUN, Limits, carry_out, default_policy, to_archive

# In pieces: a job of the light queue that takes a minute looks like a queue that hangs.
NIGHTLY = Limits(most="50%", always=100, seconds=20)


def clean_up() -> None:
    """What the daily schedule runs; what is left after its time is a job of its own, as often as needed.

    A plan that takes half of everything waits for a person.
    """
    policy = default_policy()
    try:
        outcome = carry_out(replace(policy, archive=to_archive("auto")), NIGHTLY, by_schedule=True)
    except NOT_BEGUN:
        return  # written down, and shown in the admin
    if outcome.left and not outcome.code:
        async_task("forecastsite.tasks.clean_up", cluster="light")


def probe() -> None:
    """Does nothing: that it was taken and done is the news the supervisor waits for."""
