#!/usr/bin/env bash
# integrity_check.sh - prove the mirror, and tell somebody when it is not right; for cron, every five minutes
#
# One at a time on a host. The checks are the job integrity_check, which fails when a check could not be done; what they
# find fails nothing: check-integrity status says it, and so do ALERT_WEBHOOK and ALERT_COMMAND. Without a terminal it is
# silent when all could be done; LOGS_DIR/integrity_check.log has a line for each run.
#
# Usage: scripts/cron/integrity_check.sh
# Exit codes: 0 done, whatever was found; 4 a check could not be done or an alert not be delivered; 74 no log can be
# written; 75 another copy is running.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
[ $# = 0 ] || { echo "usage: scripts/cron/integrity_check.sh" >&2; exit 2; }
export PATH="$PWD/target/release:$PATH" DEADLINE=240
logs=$(scripts/dotenv.sh LOGS_DIR)
log=${logs:-logs}/integrity_check.log
mkdir -p "${log%/*}" && : >>"$log" || exit 74
exec 9>"${log%/*}/.integrity_check.lock"
# Every few minutes that is no news.
flock --nonblock 9 || { [ ! -t 2 ] || echo "integrity_check: another copy is running" >&2; exit 75; }
url=$(scripts/db.sh url)
if [ -n "$url" ]; then export DATABASE_URL="$url"; fi
said=$(mktemp)
trap 'rm -f "$said"' EXIT
verdict=0
# shellcheck disable=SC2016 # the inner shell's
job-run --job integrity_check -- sh -c 'check-integrity run >/dev/null; code=$?; [ "$code" -gt 3 ] || code=0; exit "$code"' 2>"$said" || verdict=$?
# Also when the checks failed: then that is what somebody has to hear.
check-integrity alert >/dev/null 2>>"$said" || { code=$?; [ "$verdict" != 0 ] || verdict=$code; }
{ date -u '+%FT%TZ '"exit $verdict"; cat "$said"; } >>"$log"
if [ "$verdict" != 0 ] || [ -t 2 ]; then cat "$said" >&2; fi
exit "$verdict"
