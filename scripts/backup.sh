#!/usr/bin/env bash
# backup.sh - dump the mirror, prove that the dump can be restored, and keep the newest ones
#
# The tables of the mirror and of its operations are dumped from one snapshot, and the dump is restored into a scratch database
# of the same server and compared: rows and contents of every table. Then it becomes FOLDER/mirror42-TIME.dump, on record as the
# job backup. Of all that are there, the newest of each of the last days and weeks that have one stay, 7 and 4 of them.
# scripts/restore.sh puts one back: docs/RESTORE.md.
#
# Usage: scripts/backup.sh [FOLDER]     BACKUPS_DIR, which is backups
# Environment: BACKUP_DAYS (7), BACKUP_WEEKS (4), BACKUP_CHECK=no where the user may make no database: then nothing is proven
# Exit codes: 0 done, 1 failed, 2 usage, 65 the dump does not hold what the database did, 69 no database, 74 the folder cannot
# be written, 75 another copy runs, 77 no scratch database can be made, 78 no tables of the mirror, or a wrong number.
set -euo pipefail
if [ $# -gt 1 ] || [[ ${1:-} == -* ]]; then sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; fi
folder=${1:+$(realpath -m -- "$1")}
cd "$(dirname "$(readlink -f "$0")")/.."
export PATH="$PWD/target/release:$PATH"
fail() { echo "backup: $2" >&2; exit "$1"; }
setting() { value=$(scripts/dotenv.sh "$1"); [[ ${value:=$2} =~ ^[0-9]{1,4}$ ]] || fail 78 "$1 is a whole number"; echo "$value"; }

folder=${folder:-$(scripts/dotenv.sh BACKUPS_DIR)}
folder=${folder:-backups}
url=$(scripts/db.sh url)
if [ -n "$url" ]; then export DATABASE_URL="$url"; fi
# On record as the job backup, where there is somebody to record it: job-run takes the place of this process.
if [ "${RECORDED:-}" != "backup $PPID" ] && command -v job-run >/dev/null; then
    RECORDED="backup $$" exec job-run --job backup -- scripts/backup.sh "$folder"
fi
days=$(setting BACKUP_DAYS 7)
weeks=$(setting BACKUP_WEEKS 4)
check=$(scripts/dotenv.sh BACKUP_CHECK)
umask 077
export PGOPTIONS="${PGOPTIONS:-} -c client_min_messages=warning"
mkdir -p -- "$folder" && exec 9>"$folder/.backup.lock" || exit 74
flock --nonblock 9 || fail 75 "another copy is running"
scripts/db.sh client psql -XAtqc 'SELECT' >/dev/null || exit 69

work=$(mktemp -d)
part=$folder/.part.dump
scratch=mirror42_check_$(printf '%s' "$(uname -n) $(realpath "$folder")" | cksum | cut -d ' ' -f 1)
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    rm -rf "$work" "$part"
    if [ -n "${made:-}" ]; then scripts/db.sh client psql -Xqc "DROP DATABASE IF EXISTS $scratch WITH (FORCE)" || true; fi
}
trap cleanup EXIT

# One session holds the snapshot that both the dump and the comparison see, however much is written meanwhile.
coproc session { scripts/db.sh client psql -XAtq -v ON_ERROR_STOP=1 2>&1; }
tell=${session[1]} hear=${session[0]}
printf '%s\n' 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;' 'SELECT pg_export_snapshot();' >&"$tell"
read -r -t 60 snapshot <&"$hear" || fail 69 "the database gives no snapshot"
printf '%s\n' "\\o '$work/before'" '\i scripts/contents.sql' '\o' '\echo all read' >&"$tell"
read -r -t 3600 said <&"$hear" || true
[ "${said:-}" = "all read" ] || fail 1 "the tables cannot be read: ${said:-no answer}"
[ -s "$work/before" ] || fail 78 "there are no tables of the mirror; run init-db"
mapfile -t tables < <(cut -d '|' -f 1 "$work/before" | sed 's/^/--table=/')
if ! scripts/db.sh client pg_dump -Fc --no-owner --lock-wait-timeout=600s --snapshot="$snapshot" "${tables[@]}" >"$part" 2>"$work/said"; then
    cat "$work/said" >&2
    if grep -qE 'No space|could not write' "$work/said"; then exit 74; else exit 1; fi
fi
printf '\\q\n' >&"$tell"

if [ "$check" = no ]; then
    echo "backup: BACKUP_CHECK=no, so nobody has tried to restore it" >&2
else
    scripts/db.sh client psql -Xqc "DROP DATABASE IF EXISTS $scratch WITH (FORCE)" -c "CREATE DATABASE $scratch TEMPLATE template0" \
        || fail 77 "no scratch database to prove the backup in; BACKUP_CHECK=no does without"
    made=yes
    scripts/db.sh client psql -XAtqc "SELECT format('CREATE SCHEMA IF NOT EXISTS %I;', nspname) FROM pg_namespace WHERE nspname !~ '^pg_'
        AND nspname <> 'information_schema'" | MIRROR_DATABASE=$scratch scripts/db.sh client psql -Xq -v ON_ERROR_STOP=1
    MIRROR_DATABASE=$scratch scripts/db.sh client pg_restore --no-owner --no-privileges --exit-on-error "$part" || fail 65 "the dump cannot be restored"
    MIRROR_DATABASE=$scratch scripts/db.sh client psql -XAtq -v ON_ERROR_STOP=1 -f scripts/contents.sql >"$work/after"
    diff "$work/before" "$work/after" >&2 || fail 65 "the dump does not hold what the database did"
fi
sync "$part"
mv "$part" "$folder/mirror42-$(date -u +%FT%H%M%SZ).dump"
sync "$folder"

# The newest of a day and of a week stay; names sort by time.
declare -A kept
while IFS= read -r file; do
    day=${file##*mirror42-} day=${day%%T*} week=$(date -u -d "${day}" +%G-%V)
    keep=
    if [ -z "${kept[$day]:-}" ] && [ "$days" -gt 0 ]; then keep=yes days=$((days - 1)); fi
    if [ -z "${kept[$week]:-}" ] && [ "$weeks" -gt 0 ]; then keep=yes weeks=$((weeks - 1)); fi
    kept[$day]=yes kept[$week]=yes
    [ -n "$keep" ] || rm -f -- "$file"
done < <(printf '%s\n' "$folder"/mirror42-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*.dump | sort -r)
