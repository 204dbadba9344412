"""Who sees and revokes keys of others."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles


class Migration(migrations.Migration):
    dependencies = [("forecastsite", "0012_api_keys")]

    operations = [
        migrations.RunPython(lambda apps, _editor: create_roles(apps, "_apikey"), migrations.RunPython.noop)
    ]
