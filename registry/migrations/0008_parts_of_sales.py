from __future__ import annotations

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0007_dataset_pause'),
    ]

    operations = [
        migrations.AddField(
            model_name='datasetversion',
            name='layout_facts',
            field=models.JSONField(blank=True, null=True, verbose_name='layout of the parts'),
        ),
        migrations.CreateModel(
            name='SalesPart',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('pending', 'being saved'), ('ready', 'ready'), ('deleting', 'being deleted'), ('damaged', 'damaged')], db_index=True, default='pending', max_length=10, verbose_name='state')),
                ('size', models.BigIntegerField(default=0, verbose_name='bytes')),
                ('sha256', models.CharField(blank=True, db_index=True, max_length=64, verbose_name='SHA-256')),
                ('content_hash', models.CharField(max_length=64, verbose_name='content hash')),
                ('bucket', models.PositiveIntegerField(verbose_name='bucket of series')),
                ('span', models.IntegerField(verbose_name='span of days')),
                ('rows', models.BigIntegerField(default=0, verbose_name='rows')),
                ('first', models.DateField(verbose_name='first day')),
                ('last', models.DateField(verbose_name='last day')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='registry.dataset', verbose_name='dataset')),
            ],
            options={
                'verbose_name': 'part of sales',
                'verbose_name_plural': 'parts of sales',
                'ordering': ['dataset', 'span', 'bucket'],
            },
        ),
        migrations.AddField(
            model_name='datasetversion',
            name='parts',
            field=models.ManyToManyField(related_name='versions', to='registry.salespart', verbose_name='parts of sales'),
        ),
    ]
