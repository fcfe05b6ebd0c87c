#!/bin/sh
# secrets.sh: makes what docker-compose.yml reads from ./secrets. What is there already stays; nothing is shown.
# The folder is its owner's alone; the files in it can be read by whoever runs in the container that one is mounted into.
set -eu
cd "$(dirname "$0")/.."
mkdir -p secrets
chmod 700 secrets

make() {  # make NAME COMMAND...: its output becomes the secret, unless there is one
    name="secrets/$1"; shift
    [ -e "$name" ] && return
    "$@" > "$name.part"
    chmod 444 "$name.part"
    mv "$name.part" "$name"
    echo "made $name"
}
random() { openssl rand -hex 32; }
address() { echo "postgres://$1:$(random)@database:5432/meso"; }

make secret_key random
make email_url echo "consolemail://"
make database_superuser random
for role in owner app jobs; do make "database_$role" address "meso_$role"; done
if [ ! -e secrets/database_key ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=database" \
        -addext "subjectAltName=DNS:database" -keyout secrets/database_key -out secrets/database_certificate 2>/dev/null
    chmod 444 secrets/database_key secrets/database_certificate
    echo "made secrets/database_key and its certificate, good for ten years"
fi
grep -q consolemail secrets/email_url && echo "mail goes nowhere yet: write smtp+tls://user:password@host:587 into secrets/email_url"
true
