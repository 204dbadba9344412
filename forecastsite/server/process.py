"""`python -m forecastsite.server.process PARENT web PORT | light | training`: one process group of `up`.

The kernel kills every process of the group, including later forks of django-q2, when its parent dies;
a killed qcluster would otherwise leave workers that keep taking jobs.
"""

from __future__ import annotations

import os
import sys

from registry.lib.process import die_with_parent

DAPHNE_ARGUMENTS = ["-v", "0", "--application-close-timeout", "3"]


def main(parent: str, group: str, port: str = "") -> None:
    """Runs the process group until it is stopped; `parent` is the pid of the supervisor."""
    die_with_parent(int(parent))
    os.register_at_fork(after_in_child=die_with_parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forecastsite.settings")
    if group == "web":
        run_web_server(port)
    else:
        run_workers(group)


def run_web_server(port: str) -> None:
    """Runs the web server; torch is imported only when a page needs it."""
    from daphne.cli import CommandLineInterface
    from django.conf import settings

    from forecastsite.server.body_limit import install_body_limit
    from forecastsite.server.bounded_server import install_bounded_server
    from forecastsite.server.heap import limit_heap
    from forecastsite.server.long_address import install_long_address
    from forecastsite.server.websocket_limits import install_websocket_limits

    limit_heap()
    install_body_limit()
    install_long_address()
    install_websocket_limits()
    install_bounded_server()
    where = ["-b", settings.LISTEN_ADDRESS, "-p", port]
    CommandLineInterface().run([*DAPHNE_ARGUMENTS, *where, "forecastsite.asgi:application"])


def run_workers(queue: str) -> None:
    """Runs the workers of one queue; `qcluster -n NAME` would silently run the default queue."""
    os.environ["Q_CLUSTER_NAME"] = queue

    import django
    from django.core.management import call_command

    django.setup()
    from django_q.signals import post_execute_in_worker, pre_execute

    from forecastsite.server.json_logs import log_job_end, name_job
    from forecastsite.tasks import install_busy_markers

    pre_execute.connect(name_job, dispatch_uid="job name")
    post_execute_in_worker.connect(log_job_end, dispatch_uid="job end")
    if queue == "light":
        install_busy_markers()
    call_command("qcluster")


if __name__ == "__main__":
    main(*sys.argv[1:])
