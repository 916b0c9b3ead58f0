#!/usr/bin/env bash
# quickstart.sh - the main job in one command: build, bring up PostgreSQL, mirror a cursus, show what is there
#
# With CLIENT_ID and CLIENT_SECRET in .env or in the environment it mirrors the real API, but for what takes hours there;
# without them a mock of it with invented students, which only ever go into the private PostgreSQL. The database and the
# exports stay; the servers that this script started are stopped.
# Needs Rust. A C linker and PostgreSQL are installed with apt where that is allowed; DATABASE_URL names another server.
#
# Usage: scripts/quickstart.sh [STUDENTS]     how many students the mock has, 2000
# Exit codes: 0 done, also when some records wait for what they refer to; else those of
# scripts/cron/nightly_stable_tables.sh; 78 when something it needs is missing.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
export PATH="$PWD/target/release:${HOME:-/root}/.cargo/bin:$PATH"
say() { echo "== $*" >&2; }

command -v cargo >/dev/null || { echo "quickstart.sh: no cargo here; install Rust, https://rustup.rs" >&2; exit 78; }
scripts/need.sh cc gcc libc6-dev
say "building (some minutes the first time)"
cargo build --release --locked --quiet

kind=$(scripts/db.sh kind)
exports=$(scripts/dotenv.sh EXPORTS_DIR)
exports=${exports:-exports}
mkdir -p "$exports"
marker=$exports/.invented
temporary=$(mktemp -d)
scripts/db.sh status >/dev/null 2>&1 && found_running=yes || found_running=no
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    if [ -n "${mock:-}" ]; then kill "$mock" || true; wait "$mock" || true; fi 2>/dev/null
    if [ "$found_running" = no ]; then scripts/db.sh stop; fi
    rm -rf "$temporary"
}
trap cleanup EXIT

say "bringing up PostgreSQL"
scripts/db.sh start
url=$(scripts/db.sh url)
if [ -n "$url" ]; then export DATABASE_URL="$url"; fi

# Whose data the private database holds: nothing, real, or the invented world that its comment names.
held=nothing
if [ "$kind" = private ]; then
    held=$(scripts/db.sh shell -XAtqc "SELECT CASE WHEN to_regnamespace('ops') IS NULL THEN 'nothing'
        ELSE coalesce(shobj_description(oid, 'pg_database'), 'real') END FROM pg_database WHERE datname = current_database()")
fi
forget() { # forget WORLD: take away what another world has left in the database and in the exports
    case $held in
        nothing | real | "$1") ;;
        *)
            say "taking the mock's invented students away"
            scripts/db.sh shell -qc 'SET client_min_messages = warning; DROP SCHEMA ops CASCADE; DROP SCHEMA public CASCADE;
                CREATE SCHEMA public; COMMENT ON DATABASE mirror42 IS NULL'
            ;;
    esac
    if [ -e "$marker" ] && [ "$(cat "$marker")" != "$1" ]; then
        # Tombstones of invented people must not stand for real ones.
        local backups
        backups=$(scripts/dotenv.sh BACKUPS_DIR)
        rm -rf "$exports"/[0-9][0-9]_* "$marker" "${backups:-backups}/tombstones.ndjson"
    fi
}

tables=()
if [ -n "$(scripts/dotenv.sh CLIENT_ID)" ]; then
    forget real
    mapfile -t tables < <(init-db --list | awk -F '\t' '$3 !~ /(^| )users( |$)/ { print $1 }')
else
    if [ "$kind" = named ] || [ "$held" = real ]; then
        echo "quickstart.sh: no CLIENT_ID, and the database is not for invented students: it is named, or holds real ones" >&2
        exit 78
    fi
    world="invented: ${1:-2000} students, mock $(sha256sum "$(command -v mock-api42)" | cut -c1-16)"
    forget "$world"
    echo "$world" >"$marker"
    scripts/db.sh shell -qc "COMMENT ON DATABASE mirror42 IS '$world'"
    say "no CLIENT_ID: starting a mock of the API with ${1:-2000} invented students"
    # Ten times the usual limit, as the API grants on request: nobody waits minutes for a demonstration.
    mock-api42 --listen 127.0.0.1:0 --per-second 20 --per-hour 12000 --students "${1:-2000}" --ready-file "$temporary/url" &>"$temporary/mock.log" &
    mock=$!
    until [ -s "$temporary/url" ]; do
        kill -0 "$mock" 2>/dev/null || { cat "$temporary/mock.log" >&2; exit 1; }
        sleep 0.1
    done
    API_ROOT=$(cat "$temporary/url")
    export API_ROOT CLIENT_ID=u-s4t2ud-mock CLIENT_SECRET=s-s4t2ud-mock
fi

say "making the tables"
init-db
say "mirroring: fetch into $exports/, load into PostgreSQL"
code=0
scripts/cron/nightly_stable_tables.sh "${tables[@]}" || code=$?
say "following what changed since"
live=0
scripts/cron/live_db_sync.sh || live=$?
if [ "$code" = 0 ]; then code=$live; fi

say "what is there now"
scripts/db.sh shell -qf scripts/status.sql
if [ "$code" = 3 ]; then
    say "some records refer to what is not mirrored: they wait in ops.quarantine, which is usual with this API"
    code=0
fi
if [ ${#tables[@]} -gt 0 ]; then say "what hangs on the students takes hours: leave it to the nightly, see README.md"; fi
say "look at it: scripts/db.sh start, scripts/db.sh shell; repeat a stage: see README.md"
exit "$code"
