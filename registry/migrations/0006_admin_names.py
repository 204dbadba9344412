from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0005_plain_words"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="versionchange",
            options={
                "ordering": ["-at", "-pk"],
                "verbose_name": "version change",
                "verbose_name_plural": "version changes",
            },
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="act",
            field=models.CharField(
                choices=[
                    ("trained", "requested a training"),
                    ("stopped", "stopped a training"),
                    ("hurried", "ended a training early"),
                    ("promoted", "put in use"),
                    ("rolled_back", "rolled back to"),
                    ("pinned", "pinned"),
                    ("unpinned", "unpinned"),
                    ("archived", "moved to the archive"),
                    ("restored", "restored from the archive"),
                    ("deleted", "deleted"),
                    ("imported", "imported sales"),
                    ("changed", "changed manually"),
                    ("exported", "downloaded"),
                    ("roles", "changed a user's permissions"),
                    ("locked_out", "locked out after wrong passwords"),
                ],
                db_index=True,
                max_length=12,
                verbose_name="action",
            ),
        ),
    ]
