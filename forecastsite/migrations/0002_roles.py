"""The roles as groups; what they may do is in forecastsite/accounts/roles.py."""

from django.db import migrations

from forecastsite.accounts.roles import create_roles


class Migration(migrations.Migration):
    dependencies = [
        ("axes", "0010_accessattemptexpiration"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("forecastsite", "0001_clean_up"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
        ("registry", "0003_audit"),
        ("training", "0001_initial"),
        ("prediction", "0002_keeping"),
    ]

    operations = [migrations.RunPython(lambda apps, _editor: create_roles(apps), migrations.RunPython.noop)]
