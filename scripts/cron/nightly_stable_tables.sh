#!/usr/bin/env bash
# nightly_stable_tables.sh - mirror everything, parents first, and delete what left; for cron
#
# Each table is fetched into its export and loaded from there, after those that it needs. One that fails does not stop
# those that do not need it.
# Enrolments, badges and memberships take as many hours as the hour's quota wants, and leave some of it to live work. A
# run that is ended goes on where it was. At last, whoever is due or has left is erased everywhere. Without a terminal it
# is silent when all is well, and what is said goes to LOGS_DIR/nightly_stable_tables.log.
#
# Usage: scripts/cron/nightly_stable_tables.sh [TABLE…]     only these, of those that init-db --list names
# Exit codes: 0 done, 2 no such table, 3 done but some records wait in quarantine, 74 no log can be written, 75 another
# copy runs, else that of the first failure.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
. scripts/stages.sh nightly_stable_tables bulk nightly_sync '' "$@"
deadline=$(scripts/dotenv.sh DEADLINE)
export DEADLINE="${deadline:-72000}"

tables=$(init-db --list)
for wanted; do
    cut -f 1 <<<"$tables" | grep -qx -- "$wanted" || { echo "nightly_stable_tables: no table $wanted; see init-db --list" >&2; exit 2; }
done
expect $(($# ? 2 * $# : 2 * $(wc -l <<<"$tables") + 1))

# Three tables at a time: while one is loaded, or waits for its last pages, the others make calls. On a terminal one: the
# bars would take each other's line.
lanes=3
[ ! -t 2 ] || lanes=1
declare -A tools=() needs=() states=() running=()
order=()
while IFS=$'\t' read -r table tool need; do
    [ $# = 0 ] || [[ " $* " == *" $table "* ]] || continue
    order+=("$table")
    tools[$table]=$tool needs[$table]=$need states[$table]=waiting
done <<<"$tables"

mirror() { # mirror TABLE, in a subshell: exits with its verdict, and leaves a file when it is not mirrored
    verdict=0
    { stage "${tools[$1]}" --export "$1" && stage load-table "$1" --export; } </dev/null || : >"$scratch/failed.$1"
    exit "$verdict"
}

stands() { # stands TABLE: sets standing to ready, waiting or failed, as the tables are that it needs
    local need
    standing=ready
    for need in ${needs[$1]}; do
        case ${states[$need]:-mirrored} in
            failed) echo "$1: skipped, it needs $need" | tee -a "$log" >&2; standing=failed; return ;;
            waiting | running) standing=waiting ;;
        esac
    done
}

start_one() { # the first table, in their order, that needs no other any more; false when there is none
    local table
    for table in "${order[@]}"; do
        [ "${states[$table]}" = waiting ] || continue
        stands "$table"
        states[$table]=$standing
        [ "$standing" = ready ] || continue
        mirror "$table" &
        running[$!]=$table states[$table]=running
        return 0
    done
    return 1
}

while true; do
    while [ ${#running[@]} -lt $lanes ] && start_one; do :; done
    [ ${#running[@]} -gt 0 ] || break
    code=0
    wait -n -p ended "${!running[@]}" || code=$?
    count "$code"
    table=${running[$ended]} states[${running[$ended]}]=mirrored
    unset "running[$ended]"
    [ ! -e "$scratch/failed.$table" ] || states[$table]=failed
done
if [ $# = 0 ]; then as=purge_people stage purge-people run </dev/null || true; fi
exit "$verdict"
