#!/usr/bin/env bash
# purge_people.sh - erase whoever is due or has left, wherever anything of them is; for cron, once a day
#
# The nightly does it too when it ends; this one comes however long the nightly takes. Without a terminal it is silent when
# all is well; what was erased, by ids and counts, goes to LOGS_DIR/purge_people.log.
#
# Usage: scripts/cron/purge_people.sh [OPTION…]     those of purge-people run
# Exit codes: those of purge-people; 74 no log can be written, 75 also when another copy runs.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
export PATH="$PWD/target/release:$PATH"
logs=$(scripts/dotenv.sh LOGS_DIR)
log=${logs:-logs}/purge_people.log
mkdir -p "${log%/*}" && : >>"$log" || exit 74
url=$(scripts/db.sh url)
if [ -n "$url" ]; then export DATABASE_URL="$url"; fi
code=0
said=$(job-run --job purge_people -- purge-people run "$@" 2>&1) || code=$?
{ date -u '+%FT%TZ '"exit $code"; echo "$said"; } >>"$log"
if [ -t 2 ] || [ "$code" != 0 ]; then echo "$said" >&2; fi
exit "$code"
