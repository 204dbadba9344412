from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0004_plain_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="trainingrun",
            name="trials",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
    ]
