#!/usr/bin/env bash
# bench_watching.sh - what watching costs: integrity checks, status, jobs and backlog, at the real volumes and at ten times these
#
# Builds, brings up a private PostgreSQL of its own, fills the mirror, the records of the tools, exports and logs with invented
# rows (40,000 students with 900,000 enrolments, 10,000 runs of jobs, 100 MB of logs, 5,000 in the backlog; then ten times all of
# it), and prints Markdown for docs/PERFORMANCE.md: seconds at both, the median of some runs, their ratio, and the peak of memory.
# Nothing stays. Five minutes, twice that on a machine that is busy; 15 GB of disk.
#
# Usage: scripts/bench_watching.sh [VOLUME…]     1 10; times the real volumes. A ratio is that of the last one to the first
# Environment: TMPDIR (/tmp), where all of it is until the end.
# Exit codes: 0 done, 1 a tool failed, 2 usage, 78 something it needs is missing.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
volumes=("$@")
[ $# -gt 0 ] || volumes=(1 10)
for volume in "${volumes[@]}"; do
    [[ $volume =~ ^[1-9][0-9]?$ ]] || { sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
done
for program in curl jq psql; do scripts/need.sh "$program" "${program/psql/postgresql-client}"; done
scripts/need.sh /usr/bin/time time
command -v cargo >/dev/null || PATH="${HOME:-/root}/.cargo/bin:$PATH"
cargo build --release --locked --quiet --workspace
folder=$(mktemp -d)
chmod 711 "$folder" # the server's user goes through
# What tools say is shown when something failed.
exec 3>&2 2>"$folder/said"
server=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    local code=$?
    exec 2>&3
    [ $code = 0 ] || tail -n 5 "$folder/said" >&2
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ ! -e "$folder/postgres" ] || DB_DIR=$folder/postgres scripts/db.sh stop
    rm -rf "$folder"
}
trap cleanup EXIT
unset DATABASE_URL PGHOST DB_HOST MONITOR_URL MONITOR_TOKEN MONITOR_ADMIN_TOKEN ALERT_WEBHOOK ALERT_COMMAND SCHEDULES_FILE CATALOG_DIR
export DB_DIR=$folder/postgres CURSUS_ID=21 RUST_LOG=error NO_COLOR=1
export EXPORTS_DIR=$folder/exports STATE_DIR=$folder/state LOGS_DIR=$folder/logs
# Tools that do nothing, for what draining the backlog costs by itself.
mkdir "$folder/idle"
printf '#!/bin/sh\nexec sed "s/.*/{\\"id\\":&}/"\n' >"$folder/idle/fetch-users"
# shellcheck disable=SC2016 # $2 is of that script
printf '#!/bin/sh\n[ "$2" = --missing ] || exec cat >/dev/null\n' >"$folder/idle/load-table"
chmod 755 "$folder/idle/"*
tools=$PWD/target/release
export PATH="$tools:$PATH"

export_table() { # export_table FILE/SCOPE TABLE FORMAT COLUMN…: a full export of what the table holds, by its keys and parents
    local place=$EXPORTS_DIR/$1 file=${1%/*} cursus=null query
    case $1 in */cursus_21) cursus=21 ;; *) file=$1 ;; esac
    query="SELECT format('$3', ${*:4}) FROM $2"
    mkdir -p "$place"
    psql -qX "$DATABASE_URL" -c "COPY ($query) TO STDOUT" >"$place/all.ndjson"
    jq -n --arg file "$file" --argjson cursus "$cursus" --argjson rows "$(wc -l <"$place/all.ndjson")" \
        --argjson bytes "$(stat -c %s "$place/all.ndjson")" --arg sha256 "$(sha256sum "$place/all.ndjson" | cut -d ' ' -f 1)" \
        --arg at "$(date -u -d '25 hours ago' +%FT%TZ)" '{resource: $file, scope: {cursus: $cursus, campus: null}, kind: "full",
            complete: true, rows: $rows, total: $rows, unresolved: 0, bytes: $bytes, sha256: $sha256, query: "", calls: 1, retries: 0,
            throttled: 0, started: $at, finished: $at, window: null}' >"$place/all.manifest.json"
}

fill() { # fill VOLUME: database, exports, logs
    rm -rf "$EXPORTS_DIR" "$LOGS_DIR" "$STATE_DIR"
    mkdir -p "$LOGS_DIR"
    psql -qXAt "$DATABASE_URL" -v factor="$1" -f scripts/bench_watching.sql >/dev/null
    local student='"kind":"student","alumni?":false'
    export_table 01_cursus cursus '{"id":%s}' id
    export_table 02_campus campuses '{"id":%s}' id
    export_table 03_achievements achievements '{"id":%s}' id
    export_table 04_campus_achievements campus_achievements '{"campus_id":%s,"achievement_id":%s}' campus_id,achievement_id
    export_table 05_projects/cursus_21 projects '{"id":%s}' id
    export_table 06_campus_projects/cursus_21 campus_projects '{"campus_id":%s,"project_id":%s}' campus_id,project_id
    export_table 07_project_sessions/cursus_21 project_sessions '{"id":%s,"project_id":%s}' id,project_id
    export_table 08_users/cursus_21 users "{\"id\":%s,\"campus_id\":%s,$student}" id,campus_id
    export_table 09_coalitions coalitions '{"id":%s}' id
    export_table 10_cursus_users/cursus_21 cursus_users "{\"id\":%s,\"cursus_id\":21,\"user\":{\"id\":%s,$student}}" id,user_id
    export_table 11_projects_users/cursus_21 projects_users \
        "{\"id\":%s,\"project\":{\"id\":%s},\"user\":{\"id\":%s,$student}}" id,project_id,user_id
    export_table 12_achievements_users achievements_users '{"id":%s,"achievement_id":%s,"user_id":%s}' id,achievement_id,user_id
    export_table 13_coalitions_users coalitions_users '{"id":%s,"coalition_id":%s,"user_id":%s}' id,coalition_id,user_id
    # Four that are read, 25 MB each, and a file a run.
    local at name
    at=$(date -u +%FT%TZ)
    for name in 42_token_refresh.log backlog.log live_db_sync.log; do
        (yes "$at INFO a line of a log, as long as most lines of most logs are" || true) | head -c "$(($1 * 25000000))" >"$LOGS_DIR/$name"
        echo >>"$LOGS_DIR/$name"
    done
    (yes "{\"at\":\"$at\",\"event\":\"raised\",\"level\":\"warning\",\"name\":\"a\",\"subject\":\"\",\"text\":\"b\"}" || true) \
        | head -c "$(($1 * 25000000))" >"$LOGS_DIR/alerts.ndjson"
    echo >>"$LOGS_DIR/alerts.ndjson"
    for ((name = 0; name < $1 * 100; name++)); do echo "$at INFO done" >"$LOGS_DIR/run_$name.log"; done
    # Who left the backlog: of files never more than 12,000 are remembered.
    mkdir "$LOGS_DIR/.monitor_state"
    seq 11000 | sed "s/.*/{\"id\":&,\"reason\":\"live sync\",\"added\":\"$at\",\"processed\":\"$at\",\"outcome\":\"loaded\",\"attempts\":0,\"seconds\":2.5}/" \
        >"$LOGS_DIR/.monitor_state/processed_users.jsonl"
}

measure() { # measure NAME RUNS COMMAND…: a line NAME, median of seconds, KiB; how things are is no failure, what failed is
    local name=$1 runs=$2 began run code
    shift 2
    for ((run = 0; run < runs; run++)); do
        code=0
        began=$EPOCHREALTIME
        /usr/bin/time -a -f %M -o "$folder/memory" "$@" >"$folder/printed" 2>"$folder/words" || code=$?
        awk "BEGIN { printf \"%.4f\\n\", $EPOCHREALTIME - $began }" >>"$folder/seconds"
        if [ $code -gt 3 ] || [ ! -s "$folder/printed" ]; then cat "$folder/words" >&2 && echo "$*: $code" >&2 && return 1; fi
    done
    printf '%s\t%s\t%s\n' "$name" "$(sort -n "$folder/seconds" | sed -n "$(((runs + 1) / 2))p")" \
        "$(grep -E '^[0-9]+$' "$folder/memory" | sort -n | tail -n 1)"
    rm "$folder/seconds" "$folder/memory"
}

pages() { # that the server has looked at for tables and their indexes
    sleep 1 # until it has counted them
    psql -qXAt "$DATABASE_URL" -c "SELECT sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit) FROM pg_statio_user_tables"
}

checks() { # of the last report: seconds by kind of check, staging included
    jq -r '(.duration_seconds - ([.checks[].seconds] | add)) as $rest
        | ([.checks[] | {kind: (if .check | endswith("_fk") then "references" else .check end), seconds}] | group_by(.kind)
            | map({kind: .[0].kind, count: length, seconds: (map(.seconds) | add)}) | sort_by(-.seconds)
            | map(select(.seconds >= 0.001)))
        + [{kind: "exports against tables, once for both", count: 13, seconds: $rest}]
        | .[] | ["… " + .kind + " (" + (.count | tostring) + ")", .seconds, "-"] | @tsv' "$folder/printed"
}

backlogs() { # backlogs STORE ITEMS: added in bulk, looked at, added one by one, drained by tools that do nothing
    export BACKLOG_STORE=$1
    seq 1000001 $((1000000 + $2)) >"$folder/ids"
    measure "backlog ($1), add all at once" 1 sh -c "backlog add - 'live sync' <'$folder/ids'"
    measure "backlog ($1), status" 7 backlog status
    cat >"$folder/one" <<<"backlog add \$(shuf -i 2000000-2000000000 -n 1) 'by hand'"
    measure "backlog ($1), add one" 15 sh "$folder/one"
    measure "backlog ($1), drain all, each batch by tools that do nothing" 1 env PATH="$folder/idle:$PATH" "$tools/backlog" process
    backlog clear --yes >/dev/null
}

# shellcheck disable=SC2016 # LOGS_DIR is in the environment
watched() { # watched VOLUME: every line
    measure 'warm' 1 check-integrity run >/dev/null # the first one finds nothing in any cache
    measure 'check-integrity run, keys of exports not kept yet' 1 sh -c 'rm -r "$LOGS_DIR/.monitor_state/integrity" && exec check-integrity run'
    local before after
    before=$(pages)
    measure 'check-integrity run' 3 check-integrity run
    after=$(pages)
    printf '… thousands of pages that the server looks at\t%s\t-\n' "$(awk "BEGIN { print ($after - $before) / 3000 }")"
    checks
    measure 'check-integrity status' 11 check-integrity status
    backlog add - 'live sync' < <(seq 1000001 $((1000000 + $1 * 5000))) >/dev/null
    measure 'pipeline-status' 21 pipeline-status
    measure 'pipeline-status --json' 21 pipeline-status --json
    backlog clear --yes >/dev/null
    measure 'job-monitor summary' 11 job-monitor summary
    measure 'job-monitor history --limit 100' 11 job-monitor history --limit 100
    measure 'job-monitor active' 11 job-monitor active --json
    rm -f "$folder/ready"
    monitor-server --listen 127.0.0.1:0 --ready-file "$folder/ready" >/dev/null &
    server=$!
    until [ -s "$folder/ready" ]; do sleep 0.1; done
    # An answer is 2 s old at most.
    measure 'monitor-server, status, 2 s waited' 5 sh -c "sleep 2; exec curl -sSf $(cat "$folder/ready")/api/monitoring/status"
    kill "$server"
    wait "$server" || true
    server=
    backlogs files $(($1 * 5000))
    backlogs postgres $(($1 * 5000))
}

scripts/db.sh start
DATABASE_URL=$(scripts/db.sh url)
export DATABASE_URL
init-db >/dev/null
for volume in "${volumes[@]}"; do
    fill "$volume"
    echo "$(date -u +%T) load $(cut -d ' ' -f 1 /proc/loadavg) before volume $volume" >&3
    watched "$volume" >"$folder/volume_$volume"
done
first=${volumes[0]} last=${volumes[-1]}
echo "$(date -u +%F), $(nproc) cores, $(uname -m), load $(cut -d ' ' -f 1 /proc/loadavg), PostgreSQL $(psql -XAt "$DATABASE_URL" -c 'SHOW server_version')"
echo
echo "| | seconds at $first × | at $last × | ratio | MiB at $first × | at $last × |"
echo '|---|---|---|---|---|---|'
awk -F '\t' 'function mebibytes(kibibytes) { return kibibytes == "-" ? "" : sprintf("%.0f", kibibytes / 1024) }
    NR == FNR { seconds[$1] = $2; peak[$1] = $3; next }
    { ratio = seconds[$1] ? $2 / seconds[$1] : 0
      printf("| %s | %.3f | %.3f | %.1f | %s | %s |\n", $1, seconds[$1], $2, ratio, mebibytes(peak[$1]), mebibytes($3)) }' \
    "$folder/volume_$first" "$folder/volume_$last"
