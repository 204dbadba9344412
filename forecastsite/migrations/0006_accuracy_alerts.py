"""Who may acknowledge and close alerts of drift."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles


class Migration(migrations.Migration):
    dependencies = [
        ("forecastsite", "0005_forecast_runs"),
        ("prediction", "0011_accuracy_alerts"),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, _editor: create_roles(apps, "_accuracyalert"), migrations.RunPython.noop
        )
    ]
