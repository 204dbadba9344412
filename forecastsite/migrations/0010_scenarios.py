"""Who may try plans on forecasts, and delete those that others share."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles


class Migration(migrations.Migration):
    dependencies = [
        ("forecastsite", "0009_orders"),
        ("prediction", "0014_scenarios"),
    ]

    operations = [
        migrations.RunPython(lambda apps, _editor: create_roles(apps, "_scenario"), migrations.RunPython.noop)
    ]
