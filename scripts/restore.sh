#!/usr/bin/env bash
# restore.sh - put the mirror back to what a backup holds, and erase again whoever was erased since
#
# Everything or nothing: the tables are replaced in one transaction. Before it, purge-people makes sure that no tombstone is
# lost; after it, init-db brings older tables up to date, and purge-people erases. Exports that are newer than the backup can
# be loaded then, and the live sync goes on from where the backup was: docs/RESTORE.md. Whoever may read tables still may.
#
# Usage: scripts/restore.sh FILE [--yes]     FILE is one of scripts/backup.sh; without --yes it asks
# Exit codes: 0 done, 1 failed and nothing was changed, 2 usage or not confirmed, 65 FILE is no backup, 69 no database, 74
# FILE cannot be read; else that of init-db or purge-people, and then the tables are those of the backup.
set -euo pipefail
file=${1:-} answer=${2:-}
if [ $# -lt 1 ] || [ $# -gt 2 ] || [[ $file == -* ]] || [ "${answer:---yes}" != --yes ]; then
    sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
fi
file=$(realpath -m -- "$file")
cd "$(dirname "$(readlink -f "$0")")/.."
newest=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
export PATH="$PWD/target/release:$PATH:$newest"
fail() { echo "restore: $2" >&2; exit "$1"; }

if ! [ -f "$file" ] || ! [ -r "$file" ]; then fail 74 "$file cannot be read"; fi
listing=$(pg_restore --list -- "$file" 2>&1) || fail 65 "$file is no backup: ${listing%%$'\n'*}"
url=$(scripts/db.sh url)
if [ -n "$url" ]; then export DATABASE_URL="$url"; fi
scripts/db.sh client psql -XAtqc 'SELECT' >/dev/null || exit 69
if [ -z "$answer" ]; then
    [ -t 0 ] || fail 2 "nothing was done; --yes says so without a question"
    read -r -p "Replace all tables of the mirror by those of ${file##*/}? [y/N] " answer
    [[ $answer =~ ^[yY] ]] || fail 2 "nothing was done"
fi

purge-people remember >&2 || echo "restore: the tombstones are those of BACKUPS_DIR/tombstones.ndjson alone" >&2
schemas=$(sed -nE '/ TABLE DATA /d; s/^[0-9;]+ [0-9]+ [0-9]+ TABLE ([^ ]+) .*/CREATE SCHEMA IF NOT EXISTS "\1";/p' <<<"$listing" | sort -u)
# Without the last line, and so when anything before it fails, nothing is kept.
{
    echo "BEGIN; SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '10min';"
    echo "$schemas"
    cat <<'SQL'
SELECT 'DROP TABLE ' || string_agg(format('%I.%I', n.nspname, c.relname), ', ')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND starts_with(obj_description(c.oid, 'pg_class'), 'mirror42 ') HAVING count(*) > 0 \gexec
SQL
    pg_restore --no-owner --file=- -- "$file" && echo 'COMMIT; ANALYZE;'
} | scripts/db.sh client psql -Xq -v ON_ERROR_STOP=1 -f - >/dev/null || fail 1 "nothing was changed"
init-db
exec purge-people run
