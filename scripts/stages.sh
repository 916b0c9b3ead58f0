# shellcheck shell=bash
# stages.sh - what the scripts of cron share; sourced: . scripts/stages.sh NAME CLASS
#
# One copy of NAME at a time, its log LOGS_DIR/NAME.log, the database by scripts/db.sh, PACE_CLASS for the calls of the
# API, and `stage COMMAND…`. Without a terminal nothing is said when all is well.
# Sets log, and verdict as the stages end. Ends with 74 when no log can be written, with 75 when another copy runs.
name=$1
export PATH="$PWD/target/release:$PATH" PACE_CLASS="$2"
logs=$(scripts/dotenv.sh LOGS_DIR)
log=${logs:-logs}/$name.log
mkdir -p "${log%/*}" && : >>"$log" || exit 74
exec 9>"${log%/*}/.$name.lock"
if ! flock --nonblock 9; then
    # Every few minutes that is no news: a long catch-up is going on.
    [ "$PACE_CLASS" != bulk ] && ! [ -t 2 ] || echo "$name: another copy is running, or a stage of one" >&2
    exit 75
fi
url=$(scripts/db.sh url)
if [ -n "$url" ]; then export DATABASE_URL="$url"; fi
said=$(mktemp)
trap 'rm -f "$said"' EXIT
verdict=0

count() { # count CODE: the first failure is the verdict, before records that were set aside
    case $1/$verdict in 0/*) ;; 3/0 | [!3]*/0 | [!3]*/3) verdict=$1 ;; esac
}

stage() { # stage COMMAND…: what it says goes to the log, and to a person or to cron's mail when they should hear it
    local code=0
    if [ -t 2 ]; then "$@" || code=$?; else "$@" >"$said" 2>&1 || code=$?; fi
    { date -u '+%FT%TZ '"exit $code: $*"; cat "$said"; } >>"$log"
    case $code in 0 | 3) ;; *) cat "$said" >&2 ;; esac
    count "$code"
    [ "$code" = 0 ] || [ "$code" = 3 ]
}
