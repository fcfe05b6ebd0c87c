from django.db import migrations

from meso.factor_secrets import lock_plain


class Migration(migrations.Migration):

    dependencies = [
        ('meso', '0013_words_encrypted'),
        ('mfa', '0003_authenticator_type_uniq'),
    ]

    operations = [
        migrations.RunPython(lock_plain),
    ]
