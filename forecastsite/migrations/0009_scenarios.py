"""Who may try plans on forecasts, and delete those that others share."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles


class Migration(migrations.Migration):
    dependencies = [
        ("forecastsite", "0008_queue_beats"),
        ("prediction", "0013_scenarios"),
    ]

    operations = [
        migrations.RunPython(lambda apps, _editor: create_roles(apps, "_scenario"), migrations.RunPython.noop)
    ]
