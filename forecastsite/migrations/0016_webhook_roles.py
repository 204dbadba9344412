"""Who may set up webhooks."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles


class Migration(migrations.Migration):
    dependencies = [("forecastsite", "0015_webhooks")]

    operations = [
        migrations.RunPython(lambda apps, _editor: create_roles(apps, "_webhook"), migrations.RunPython.noop)
    ]
