"""Who sees sizes of files and nightly checks."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles


def grant(apps, _editor):
    for ending in ("_storagesample", "_verification"):
        create_roles(apps, ending)


class Migration(migrations.Migration):
    dependencies = [("forecastsite", "0020_verification")]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
