# syntax=docker/dockerfile:1
# Meso behind gunicorn, as nobody in particular. The database is PostgreSQL, named by DATABASE_URL (docker-compose.yml).
FROM python:3.13-slim-trixie

# What WeasyPrint draws with, fonts for any script, and PostgreSQL 17's client programs for backups. Debian's own patch releases
# are wanted, so no versions are pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core fonts-noto-core fonts-noto-cjk \
        postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /srv/meso --shell /usr/sbin/nologin meso \
    && install -d -o meso -g meso -m 700 /var/lib/meso /var/lib/meso-key /var/lib/meso-master /var/backups/meso

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MESO_ENV=production MESO_DATA=/var/lib/meso STATIC_ROOT=/srv/meso/collected XDG_CACHE_HOME=/tmp
WORKDIR /srv/meso

COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r requirements.txt

COPY manage.py ./
COPY meso meso
COPY records records
COPY disclosures disclosures
COPY requests_app requests_app
COPY templates templates
COPY static static
COPY locale locale
COPY scripts/jobs.sh scripts/

# Static files are a part of the image, not of the office's data; collecting them needs no secret and no database.
RUN MESO_ENV=local MESO_DATA=/tmp/build python manage.py collectstatic --noinput && rm -rf /tmp/build

USER 10001
VOLUME /var/lib/meso
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python", "-m", "meso.healthy"]
CMD ["gunicorn", "--config=python:meso.gunicorn_conf", "--bind=0.0.0.0:8000", "meso.wsgi"]
