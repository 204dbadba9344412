import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('prediction', '0004_plain_words'),
        ('registry', '0005_plain_words'),
    ]

    operations = [
        migrations.AddField(
            model_name='forecast',
            name='source',
            field=models.CharField(choices=[('page', 'page'), ('server', 'the server')], default='page', max_length=10, verbose_name='made from'),
        ),
        migrations.CreateModel(
            name='CurrentForecast',
            fields=[
                ('dataset', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='registry.dataset', verbose_name='dataset')),
                ('asked_at', models.DateTimeField(null=True, verbose_name='asked for')),
                ('problem', models.JSONField(default=dict, verbose_name='problem')),
                ('forecast', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='prediction.forecast', verbose_name='forecast')),
            ],
            options={
                'verbose_name': 'current forecast',
                'verbose_name_plural': 'current forecasts',
            },
        ),
    ]
