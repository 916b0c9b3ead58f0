# shellcheck shell=bash
# stages.sh - what the scripts of cron share; sourced: . scripts/stages.sh NAME CLASS JOB PREFIX "$@"
#
# One copy of NAME at a time, its log LOGS_DIR/NAME.log, the database by scripts/db.sh, PACE_CLASS for the calls of the
# API, and `stage TOOL…`. The script starts itself anew as the job JOB, with the same arguments; each stage is a job in it,
# PREFIXfetch_TABLE or PREFIXload_TABLE, or called what `as` says. Stages of several subshells may run at once. Without a
# terminal nothing is said when all is well.
# Sets log, scratch (a folder that ends with the script), and as the stages end verdict, and last to the code of the last one. Ends with 74 when no log can be
# opened, with 75 when another copy runs; the verdict is 74 when all went well but was not logged.
name=$1 job=$3 prefix=$4
export PATH="$PWD/target/release:$PATH" PACE_CLASS="$2"
logs=$(scripts/dotenv.sh LOGS_DIR)
log=${logs:-logs}/$name.log
mkdir -p "${log%/*}" && : >>"$log" || exit 74
# Within the job the lock is there already: it came along.
if [ "${RECORDED:-}" != "$job $PPID" ]; then exec 9>"${log%/*}/.$name.lock"; fi
if [ "${RECORDED:-}" != "$job $PPID" ] && ! flock --nonblock 9; then
    # Every few minutes that is no news: a long catch-up is going on.
    [ "$PACE_CLASS" != bulk ] && ! [ -t 2 ] || echo "$name: another copy is running, or a stage of one" >&2
    exit 75
fi
url=$(scripts/db.sh url)
if [ -n "$url" ]; then export DATABASE_URL="$url"; fi
# job-run takes the place of this process, so the script that it starts finds it as its parent.
if [ "${RECORDED:-}" != "$job $PPID" ]; then RECORDED="$job $$" exec job-run --job "$job" -- "scripts/cron/$name.sh" "${@:5}"; fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
verdict=0 last=0 as=

count() { # count CODE: the first failure is the verdict, before records that were set aside
    case $1/$verdict in 0/*) ;; 3/0 | [!3]*/0 | [!3]*/3) verdict=$1 ;; esac
}

unlogged() { # the run goes on: what it mirrors is worth more than what it says of itself
    [ -e "$scratch/told" ] || echo "$name: $log cannot be written, is its disk full? the run goes on" >&2
    : >"$scratch/told"
    count 74
}

expect() { # expect N: how many stages there are, for who watches the job
    if [ -n "${JOB_PROGRESS:-}" ]; then echo "{\"ev\":\"total\",\"n\":$1}" 2>/dev/null >>"$JOB_PROGRESS" || true; fi
}

stage() { # stage TOOL [OPTION] TABLE…: what it says goes to the log, and to a person or cron's mail when they should hear it
    local code=0 table said=$scratch/said.$BASHPID
    for table in "${@:2}"; do [[ $table == -* ]] || break; done
    local run=(job-run --job "${as:-$prefix${1%%-*}_$table}" -- "$@")
    if [ -t 2 ]; then "${run[@]}" || code=$?; else "${run[@]}" >"$said" 2>&1 || code=$?; fi
    { date -u '+%FT%TZ '"exit $code: $*" && cat "$said"; } 2>/dev/null >>"$log" || unlogged
    case $code in 0 | 3) ;; *) cat "$said" >&2 ;; esac
    # shellcheck disable=SC2034 # for the script that sources this
    last=$code
    count "$code"
    [ "$code" = 0 ] || [ "$code" = 3 ]
}
