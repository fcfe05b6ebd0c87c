#!/bin/sh
# database.sh: runs once, in the database's container, when its volume is new. Three roles that log in over TLS alone; the superuser can't
# come in by the network at all.
#   meso_owner  owns the tables; `migrate` only
#   meso_app    the web server: owns nothing, and has what `manage.py grant_app_role` gives it
#   meso_jobs   the same, and may make the scratch database of a restore drill
set -eu
SECRETS="${SECRETS:-/run/secrets}"
password() { sed -E 's#^postgres://[^:]+:([^@]+)@.*$#\1#' "$SECRETS/database_$1"; }

psql -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres --quiet <<SQL
CREATE ROLE meso_owner LOGIN PASSWORD '$(password owner)';
CREATE ROLE meso_app LOGIN PASSWORD '$(password app)';
CREATE ROLE meso_jobs LOGIN CREATEDB PASSWORD '$(password jobs)';
CREATE DATABASE meso OWNER meso_owner;
REVOKE ALL ON DATABASE meso, postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE meso TO meso_app, meso_jobs;
SQL

install -m 600 "$SECRETS/database_key" "$PGDATA/server.key"
install -m 644 "$SECRETS/database_certificate" "$PGDATA/server.crt"
cat >> "$PGDATA/postgresql.conf" <<CONF
ssl = on
log_line_prefix = '%m [%p] %u '
log_min_error_statement = panic   # the statement that failed may quote a record
log_error_verbosity = terse       # and so may the details of an error
CONF
cat > "$PGDATA/pg_hba.conf" <<HBA
local   all  all                              peer
hostssl all  meso_owner,meso_app,meso_jobs  all  scram-sha-256
HBA
