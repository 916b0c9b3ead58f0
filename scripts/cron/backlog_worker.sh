#!/usr/bin/env bash
# backlog_worker.sh - fetch and load the users of the backlog; for cron, every minute or every few
#
# Once, or with --watch until DEADLINE, looking again every BACKLOG_POLL_INTERVAL seconds. One at a time on a host with the
# backlog in files, as many as you like with BACKLOG_STORE=postgres. Without a terminal it is silent when all is well,
# and when some users are to be tried again or are dead; LOGS_DIR/backlog.log tells everything.
#
# Usage: scripts/cron/backlog_worker.sh [--watch]
# Exit codes: those of backlog process; 2 wrong usage, 74 no log can be written, 75 another copy runs.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
case $# in 0) ;; 1) [ "$1" = --watch ] ;; *) false ;; esac || { echo "usage: scripts/cron/backlog_worker.sh [--watch]" >&2; exit 2; }
export PATH="$PWD/target/release:$PATH" PACE_CLASS=backlog
logs=$(scripts/dotenv.sh LOGS_DIR)
logs=${logs:-logs}
mkdir -p "$logs" && : >>"$logs/backlog.log" || exit 74
store=$(scripts/dotenv.sh BACKLOG_STORE)
if [ "$store" != postgres ]; then
    exec 9>"$logs/.backlog_worker.lock"
    # Every few minutes that is no news.
    flock --nonblock 9 || { [ ! -t 2 ] || echo "backlog_worker: another copy is running" >&2; exit 75; }
fi
url=$(scripts/db.sh url)
if [ -n "$url" ]; then export DATABASE_URL="$url"; fi
if [ ! -t 1 ]; then exec >/dev/null; fi
# A job has one run at a time: several workers of one queue are not on record. Users are counted by the backlog itself.
job=(job-run --job backlog_worker -- env -u JOB_PROGRESS)
if [ "$store" = postgres ]; then job=(); fi
exec "${job[@]}" backlog process "$@"
