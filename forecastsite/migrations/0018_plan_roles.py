"""Who may set up and run sources and schedules."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles

ENDINGS = ("_source", "_sourcefile", "_plan", "_planrun", "_planstep")


def grant(apps, _editor):
    for ending in ENDINGS:
        create_roles(apps, ending)


class Migration(migrations.Migration):
    dependencies = [("forecastsite", "0017_plans"), ("registry", "0012_sources")]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
