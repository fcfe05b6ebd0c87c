from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('disclosures', '0004_releases'),
        ('records', '0005_notice_versions_and_holds'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='release',
            index=models.Index(fields=['released_on', 'id'], name='release_by_day'),
        ),
    ]
