#!/usr/bin/env bash
# nightly_stable_tables.sh - mirror reference data and students, parents first; for cron
#
# Each table is fetched into its export and loaded from there. One that fails does not stop those that do not need it.
# Silent when all is well and nobody watches; everything said is in LOGS_DIR/nightly_stable_tables.log.
#
# Exit codes: 0 done, 3 done but some records wait in quarantine, 75 another copy runs, else that of the first failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/target/release:$PATH"
logs=${LOGS_DIR:-logs}
mkdir -p "$logs"
exec 9>"$logs/.nightly_stable_tables.lock"
flock --nonblock 9 || { echo "nightly_stable_tables: another copy is running" >&2; exit 75; }
[ -n "${DATABASE_URL:-}" ] || DATABASE_URL=$(scripts/db.sh url)
export DATABASE_URL
said=$(mktemp)
trap 'rm -f "$said"' EXIT

stage() { # run a command; what it says goes to the log, and to a person or to cron's mail when they should hear it
    local code=0
    if [ -t 2 ]; then "$@" || code=$?; else "$@" >"$said" 2>&1 || code=$?; fi
    { date -u '+%FT%TZ '"exit $code: $*"; cat "$said"; } >>"$logs/nightly_stable_tables.log"
    case $code in 0 | 3) ;; *) cat "$said" >&2 ;; esac
    case $code/$verdict in 0/*) ;; 3/0 | [!3]*/0 | [!3]*/3) verdict=$code ;; esac
    [ "$code" = 0 ] || [ "$code" = 3 ]
}

verdict=0 failed=' '
tables=$(init-db --list)
while IFS=$'\t' read -r table tool needs; do
    for need in $needs; do
        [[ $failed != *" $need "* ]] || { echo "$table: skipped, it needs $need" >&2; failed+="$table "; continue 2; }
    done
    { stage "$tool" --export "$table" && stage load-table "$table" --export; } </dev/null || failed+="$table "
done <<<"$tables"
exit "$verdict"
