from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('prediction', '0005_current_forecast'),
    ]

    operations = [
        migrations.AddField(
            model_name='forecast',
            name='levels',
            field=models.TextField(blank=True, default='', verbose_name='groups'),
            preserve_default=False,
        ),
    ]
