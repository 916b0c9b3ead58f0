#!/usr/bin/env bash
# bench_fetch.sh - what fetching costs: walks of all students, polls with nothing new, a whole nightly, the start of a tool
#
# Against the mock API at two calls a second, with the latencies named below (real: as they were measured). The walks run side
# by side, because all they do is wait. Prints Markdown for docs/PERFORMANCE.md; a walk of 40,000 students takes four minutes,
# all of it fifteen. Nothing stays.
#
# Usage: scripts/bench_fetch.sh [STUDENTS]     40000
# Exit codes: 0 done, 78 something it needs is missing, else that of what failed.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
students=${1:-40000}
for program in curl jq; do scripts/need.sh "$program" "$program"; done
scripts/need.sh /usr/bin/time time
export PATH="${HOME:-/root}/.cargo/bin:$PWD/target/release:$PATH"
cargo build --release --locked --quiet --workspace
folder=$(mktemp -d)
chmod 711 "$folder" # the server's user goes through
: >"$folder/mocks"
# What tools say is shown when something failed.
exec 3>&2 2>"$folder/said"
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    local code=$?
    exec 2>&3
    [ $code = 0 ] || tail -n 5 "$folder/said" >&2
    xargs -r kill <"$folder/mocks" 2>/dev/null || true
    [ ! -e "$folder/postgres" ] || DB_DIR=$folder/postgres scripts/db.sh stop
    rm -rf "$folder"
}
trap cleanup EXIT
unset DATABASE_URL PGHOST DB_HOST UPDATED_RANGE
export CLIENT_ID=u-s4t2ud-mock CLIENT_SECRET=s-s4t2ud-mock CURSUS_ID=21 RUST_LOG=error DB_DIR=$folder/postgres

api() { # api NAME OPTION…: a mock of its own, and folders for who calls it
    mkdir "$folder/$1"
    mock-api42 --listen 127.0.0.1:0 --ready-file "$folder/$1/root" --students "$students" --per-hour 1000000 "${@:2}" &>/dev/null &
    echo $! >>"$folder/mocks"
    until [ -s "$folder/$1/root" ]; do sleep 0.1; done
    API_ROOT=$(cat "$folder/$1/root")
    export API_ROOT EXPORTS_DIR=$folder/$1/exports STATE_DIR=$folder/$1/state LOGS_DIR=$folder/$1/logs BACKUPS_DIR=$folder/$1/backups
}

counted() { curl -sS "$API_ROOT/_mock/stats" | jq -r "$1"; }

row() { # row NAME SECONDS REST…: what a mock counted, beside the time that so many calls need at the limit
    local calls
    calls=$(counted .calls)
    awk -v name="$1" -v seconds="$2" -v calls="$calls" -v late="$(counted .throttled)" -v rest="$3" 'BEGIN {
        printf "| %s | %d | %.1f | %+.1f %% | %.2f | %d | %s |\n", name, calls, seconds, 100 * (2 * seconds / calls - 1), calls / seconds, late, rest
    }'
}

walk() { # walk LATENCY: all students; the token and the campuses are there
    api "$1" --latency "$1"
    fetch-cursus --export campus
    curl -sS -X POST "$API_ROOT/_mock/stats/reset" >/dev/null
    /usr/bin/time -f '%e %M %U %S' -o "$folder/$1/time" fetch-users --export users
    read -r seconds memory user system <"$folder/$1/time"
    row "$1" "$seconds" "$(awk "BEGIN { printf \"%.1f MiB, %.2f s\", $memory / 1024, $user + $system }")"
}

loop() { # the old way: one page after the other, and a second of sleep
    api loop --latency 1000
    local token began page
    token=$(curl -sS -d "grant_type=client_credentials&client_id=$CLIENT_ID&client_secret=$CLIENT_SECRET" "$API_ROOT/oauth/token" | jq -r .access_token)
    curl -sS -X POST "$API_ROOT/_mock/stats/reset" >/dev/null
    began=$EPOCHREALTIME
    for page in {1..40}; do
        curl -sS -H "Authorization: Bearer $token" "$API_ROOT/v2/cursus/21/users?page=$page&per_page=100" | jq -c '.[]' >/dev/null
        sleep 1
    done
    row '1000, curl in a loop with sleep 1' "$(awk "BEGIN { print $EPOCHREALTIME - $began }")" ''
}

milliseconds() { # milliseconds COMMAND…: the median of 31 runs
    local began
    for _ in {1..31}; do
        began=$EPOCHREALTIME
        "$@" >/dev/null
        awk "BEGIN { printf \"%.1f\\n\", 1000 * ($EPOCHREALTIME - $began) }"
    done | sort -n | sed -n 16p
}

echo "$(date -u +%F), $(nproc) cores, $(uname -m), load $(cut -d ' ' -f 1 /proc/loadavg), $students students, two calls a second"
echo
echo '| latency, ms | calls | seconds | over calls ÷ limit | calls/s | answers 429 | memory, CPU |'
echo '|---|---|---|---|---|---|---|'
for latency in 50 300 1000 3000 real; do (walk "$latency" >"$folder/$latency.row") & walks+=" $!"; done
(loop >"$folder/loop.row") & walks+=" $!"
for walk in $walks; do wait "$walk"; done
for latency in 50 300 1000 3000 real loop; do cat "$folder/$latency.row"; done

echo
echo '| a poll with nothing new | calls | ms |'
echo '|---|---|---|'
api poll --per-second 1000
api-token ensure-fresh >/dev/null
for table in users cursus_users projects_users achievements_users coalitions_users; do
    fetch-users "$table" --since "$(date -u +%FT%TZ)" >/dev/null # learns the limits
    curl -sS -X POST "$API_ROOT/_mock/stats/reset" >/dev/null
    took=$(milliseconds fetch-users "$table" --since "$(date -u +%FT%TZ)")
    echo "| $table | $(($(counted .calls) / 31)) | $took |"
done

echo
tables=(cursus campuses achievements campus_achievements projects campus_projects project_sessions users coalitions)
echo "The nightly of ${#tables[@]} tables, fetched and loaded, and the starts of tools:"
echo
echo '| nightly, latency | calls | seconds | over calls ÷ limit | calls/s | answers 429 | of which loads |'
echo '|---|---|---|---|---|---|---|'
scripts/db.sh start >/dev/null
DATABASE_URL=$(scripts/db.sh url)
export DATABASE_URL
init-db >/dev/null
api nightly --latency real
began=$EPOCHREALTIME
scripts/cron/nightly_stable_tables.sh "${tables[@]}"
seconds=$(awk "BEGIN { print $EPOCHREALTIME - $began }")
query="SELECT round(sum(extract(epoch FROM completed_at - started_at))::numeric, 1) FROM ops.job_executions WHERE job_type = 'load'"
loads=$(psql -qAtX "$DATABASE_URL" -c "$query")
row real "$seconds" "$loads s"
echo
echo '| start, --version | ms |'
echo '|---|---|'
echo "| /bin/true | $(milliseconds /bin/true) |"
for tool in docs/tools/*.txt; do
    tool=$(basename "$tool" .txt)
    echo "| $tool | $(milliseconds "$tool" --version) |"
done
