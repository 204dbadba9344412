"""Who may make, withdraw and judge overrides."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles


class Migration(migrations.Migration):
    dependencies = [
        ("forecastsite", "0010_scenarios"),
        ("prediction", "0015_overrides"),
    ]

    operations = [
        migrations.RunPython(lambda apps, _editor: create_roles(apps, "_override"), migrations.RunPython.noop)
    ]
