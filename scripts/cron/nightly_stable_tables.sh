#!/usr/bin/env bash
# nightly_stable_tables.sh - mirror reference data and students, parents first; for cron
#
# Each table is fetched into its export and loaded from there. One that fails does not stop those that do not need it.
# Without a terminal it is silent when all is well, and what is said goes to LOGS_DIR/nightly_stable_tables.log.
#
# Exit codes: 0 done, 3 done but some records wait in quarantine, 74 no log can be written, 75 another copy runs, else
# that of the first failure.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
export PATH="$PWD/target/release:$PATH"
logs=$(scripts/dotenv.sh LOGS_DIR)
log=${logs:-logs}/nightly_stable_tables.log
mkdir -p "${log%/*}" && : >>"$log" || exit 74
exec 9>"${log%/*}/.nightly_stable_tables.lock"
flock --nonblock 9 || { echo "nightly_stable_tables: another copy is running, or a stage of one" >&2; exit 75; }
url=$(scripts/db.sh url)
if [ -n "$url" ]; then export DATABASE_URL="$url"; fi
said=$(mktemp)
trap 'rm -f "$said"' EXIT

stage() { # run a command; what it says goes to the log, and to a person or to cron's mail when they should hear it
    local code=0
    if [ -t 2 ]; then "$@" || code=$?; else "$@" >"$said" 2>&1 || code=$?; fi
    { date -u '+%FT%TZ '"exit $code: $*"; cat "$said"; } >>"$log"
    case $code in 0 | 3) ;; *) cat "$said" >&2 ;; esac
    case $code/$verdict in 0/*) ;; 3/0 | [!3]*/0 | [!3]*/3) verdict=$code ;; esac
    [ "$code" = 0 ] || [ "$code" = 3 ]
}

verdict=0 failed=' '
tables=$(init-db --list)
while IFS=$'\t' read -r table tool needs; do
    for need in $needs; do
        [[ $failed != *" $need "* ]] || { echo "$table: skipped, it needs $need" | tee -a "$log" >&2; failed+="$table "; continue 2; }
    done
    { stage "$tool" --export "$table" && stage load-table "$table" --export; } </dev/null || failed+="$table "
done <<<"$tables"
exit "$verdict"
