#!/usr/bin/env bash
# nightly_stable_tables.sh - mirror everything, parents first, and delete what left; for cron
#
# Each table is fetched into its export and loaded from there, after those that it needs. One that fails does not stop
# those that do not need it.
# Enrolments, badges and memberships take as many hours as the hour's quota wants, and leave some of it to live work. A
# run that is ended goes on where it was. At last, whoever is due or has left is erased everywhere. Without a terminal it
# is silent when all is well, and what is said goes to LOGS_DIR/nightly_stable_tables.log.
#
# Usage: scripts/cron/nightly_stable_tables.sh [TABLE…]     only these, of those that init-db --list names
# Exit codes: 0 done, 2 no such table, 3 done but some records wait in quarantine, 74 no log can be written, 75 another
# copy runs, else that of the first failure.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
. scripts/stages.sh nightly_stable_tables bulk nightly_sync '' "$@"
deadline=$(scripts/dotenv.sh DEADLINE)
export DEADLINE="${deadline:-72000}"

tables=$(init-db --list)
for wanted; do
    cut -f 1 <<<"$tables" | grep -qx -- "$wanted" || { echo "nightly_stable_tables: no table $wanted; see init-db --list" >&2; exit 2; }
done
expect $(($# ? 2 * $# : 2 * $(wc -l <<<"$tables") + 1))

# shellcheck disable=SC2317 # called by side_by_side.sh
mirror() { # mirror TABLE TOOL
    stage "$2" --export "$1" && stage load-table "$1" --export
}
if [ $# -gt 0 ]; then tables=$(grep -E "^($(IFS='|' && echo "$*"))"$'\t' <<<"$tables"); fi
. scripts/side_by_side.sh mirror "$tables"
if [ $# = 0 ]; then as=purge_people stage purge-people run </dev/null || true; fi
exit "$verdict"
