"""Who may make, choose and delete forecast runs."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles


class Migration(migrations.Migration):
    dependencies = [
        ("forecastsite", "0004_last_dataset"),
        ("prediction", "0007_forecast_runs"),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, _editor: create_roles(apps, "_forecastrun"), migrations.RunPython.noop
        )
    ]
