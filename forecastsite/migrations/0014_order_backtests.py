"""Who may ask for back-tests of orders."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles


def grant(apps, _editor):
    create_roles(apps, "_orderbacktest")


class Migration(migrations.Migration):
    dependencies = [
        ("forecastsite", "0013_api_key_roles"),
        ("prediction", "0016_order_backtests"),
    ]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
