#!/usr/bin/env bash
# live_db_sync.sh - follow what changed since the last time; for cron, every minute or every few
#
# Each table that can be followed is read from its watermark on and loaded: one call of the API when little changed.
# After a pause of any length it catches up, and a run that is ended goes on where it was. What never shows as a change,
# such as departures, is the nightly's. Without a terminal it is silent when all is well; LOGS_DIR/live_db_sync.log.
#
# UPDATED_RANGE=START,END reads that window too, before: from the environment each time, from .env once.
#
# Usage: scripts/cron/live_db_sync.sh [WINDOW_SECONDS]     how far back a first run looks, 300
# Exit codes: 0 done, 2 wrong usage, 3 done but some records wait in quarantine, 74 no log can be written, 75 another
# copy runs or the quota is used up, else that of the first failure.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
window=${1:-300}
[[ $window =~ ^[0-9]{1,9}$ ]] || { echo "live_db_sync: $window is no number of seconds" >&2; exit 2; }
. scripts/stages.sh live_db_sync live live_sync live_ "$@"

range=$(scripts/dotenv.sh UPDATED_RANGE)
read_before=${log%/*}/.updated_range
if [ -z "${UPDATED_RANGE:-}" ] && [ "$range" = "$(cat "$read_before" 2>/dev/null)" ]; then range=; fi
tables=$(init-db --list --live)
while IFS=$'\t' read -r table tool _; do
    # Where the API or the database is away, or the quota is used up, the next table fares no better.
    case $last in 69 | 75 | 77 | 78) break ;; esac
    if [ -n "$range" ]; then
        { stage "$tool" "$table" --since "${range%%,*}" --until "${range#*,}" --export && stage load-table "$table" --changes; } </dev/null || range=
    fi
    since=$(load-table "$table" --watermark </dev/null) || { last=$?; count $last; continue; }
    since=${since:-$(date -u -d "-$window seconds" +%FT%TZ)}
    { stage "$tool" "$table" --since "$since" --export && stage load-table "$table" --changes; } </dev/null || continue
done <<<"$tables"
case $range/$verdict in ?*/0 | ?*/3) echo "$range" >"$read_before" ;; esac
exit "$verdict"
