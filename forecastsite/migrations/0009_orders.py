"""Who may make, change, approve and delete orders, and set their policy."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles


def grant(apps, _editor):
    for ending in ("_orderrun", "_orderline", "_orderexport", "_orderpolicy"):
        create_roles(apps, ending)


class Migration(migrations.Migration):
    dependencies = [
        ("forecastsite", "0008_queue_beats"),
        ("prediction", "0013_orders"),
    ]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
