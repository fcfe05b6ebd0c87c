#!/bin/sh
# jobs.sh: what an office needs done every night, in a loop. `jobs.sh now` does it once. What failed is said, the rest is done all the same;
# /tmp/failed is there as long as the last night was not whole, and makes the container unhealthy.
#   JOBS_AT    when, as HH:MM in UTC      BACKUPS    where to     KEEP_DAYS   backups older than that go
set -u
BACKUPS="${BACKUPS:-/var/backups/meso}"
FAILED="${FAILED:-/tmp/failed}"

job() {  # job COMMAND...: one of manage.py's
    python manage.py "$@" || { echo "jobs.sh: failed: $1" >&2; failed="$failed $1"; }
}

night() {
    failed=""
    verify=""
    [ "$(date -u +%u)" = 7 ] && verify="--verify"
    job anchor --mail
    # shellcheck disable=SC2086  # empty or one word
    job backup "$BACKUPS/meso-$(date -u +%Y-%m-%dT%H%M%S).age" $verify
    job send_reminders
    job clearsessions
    job verify_records
    case "$failed" in
        *backup*) ;;  # while none can be made, none is thrown away
        *) find "$BACKUPS" -name 'meso-*.age' -mtime "+${KEEP_DAYS:-35}" -delete ;;
    esac
    if [ -n "$failed" ]; then echo "$failed" > "$FAILED"; else rm -f "$FAILED"; fi
    [ -z "$failed" ]
}

if [ "${1:-}" = now ]; then night; exit; fi
trap 'exit 0' TERM INT
while :; do
    now="$(date -u +%s)"
    next="$(date -u -d "${JOBS_AT:-06:15}" +%s)"
    [ "$next" -gt "$now" ] || next=$((next + 86400))
    sleep $((next - now)) & wait $!
    night
done
