"""Who may import stock and edit terms."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles


def grant(apps, _editor):
    create_roles(apps, "_stocksnapshot")
    create_roles(apps, "_terms")


class Migration(migrations.Migration):
    dependencies = [
        ("forecastsite", "0006_accuracy_alerts"),
        ("registry", "0009_stock_and_terms"),
    ]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
