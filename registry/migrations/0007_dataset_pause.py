from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0006_admin_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="dataset",
            name="is_paused",
            field=models.BooleanField(default=False, verbose_name="attention paused"),
        ),
    ]
