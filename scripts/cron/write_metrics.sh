#!/usr/bin/env bash
# write_metrics.sh - measure everything, and leave it where monitoring finds it; for cron, every minute
#
# LOGS_DIR/metrics_latest.json, what is news in LOGS_DIR/alerts.ndjson, and with METRICS_TEXTFILE=…/mirror42.prom the
# text that node_exporter reads there, each whole or not at all. A run of its own: when the live sync or the database is
# dead, this is what tells. However bad things are, it has done its work; what cannot be measured is not in the files,
# and files that are not written grow old, which is an alert too.
#
# Exit codes: 0 done, 74 a file cannot be written, 75 another copy runs, else that of pipeline-status.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
export PATH="$PWD/target/release:$PATH"
umask 022
logs=$(scripts/dotenv.sh LOGS_DIR)
lock=${logs:-logs}/.write_metrics.lock
mkdir -p "${lock%/*}" && : >>"$lock" || exit 74
exec 9>"$lock"
flock --nonblock 9 || exit 75
url=$(scripts/db.sh url)
if [ -n "$url" ]; then export DATABASE_URL="$url"; fi

code=0
text=$(pipeline-status --prometheus --write-metrics 9>&-) || code=$?
# One that was ended may have been ended in the middle.
if [ -z "$text" ] || [ "$code" -ge 128 ]; then exit "$code"; fi
textfile=$(scripts/dotenv.sh METRICS_TEXTFILE)
if [ -n "$textfile" ]; then
    # Token and calls by class of work, and single checks, where there are any.
    for tool in 'api-token metrics' 'check-integrity metrics --prometheus --deadline 10'; do
        # shellcheck disable=SC2086 # words
        more=$($tool 2>/dev/null 9>&-) || [ $? -lt 4 ] || continue
        if [ -n "$more" ]; then text+=$'\n'$more; fi
    done
    # Not *.prom yet, or the collector would read half of it.
    { printf '%s\n' "$text" >"$textfile.new" && mv -f "$textfile.new" "$textfile"; } || exit 74
fi
[ "$code" != 74 ] || exit 74
