# shellcheck shell=bash
# side_by_side.sh - several tables at a time, each after those it needs; sourced after stages.sh: . scripts/side_by_side.sh DO TABLES
#
# TABLES are lines of init-db --list: table, tool and the tables that it needs, parted by tabs, parents first. Calls DO TABLE
# TOOL for each, in a subshell; one that fails does not stop those that do not need it. Counts the verdicts of their stages.
# shellcheck disable=SC2154 # log and scratch are those of stages.sh

# Three at a time: while one is loaded, or waits for its last pages, the others make calls. On a terminal one: the bars
# would take each other's line.
lanes=3
[ ! -t 2 ] || lanes=1
declare -A tools=() needs=() states=() running=()
order=()
while IFS=$'\t' read -r table tool need; do
    order+=("$table")
    tools[$table]=$tool needs[$table]=$need states[$table]=waiting
done <<<"$2"

lane() { # lane DO TABLE, in a subshell: exits with the verdict of its stages, and leaves a file when DO failed
    verdict=0
    "$1" "$2" "${tools[$2]}" </dev/null || : >"$scratch/failed.$2"
    exit "$verdict"
}

stands() { # stands TABLE: sets standing to ready, waiting or failed, as the tables are that it needs
    local need
    standing=ready
    for need in ${needs[$1]}; do
        # One that was not asked for is taken to be there.
        case ${states[$need]:-mirrored} in
            failed) echo "$1: skipped, it needs $need" | tee -a "$log" >&2; standing=failed; return ;;
            waiting | running) standing=waiting ;;
        esac
    done
}

start_one() { # start_one DO: the first table, in their order, that waits for no other any more; false when there is none
    local table
    for table in "${order[@]}"; do
        [ "${states[$table]}" = waiting ] || continue
        stands "$table"
        states[$table]=$standing
        [ "$standing" = ready ] || continue
        lane "$1" "$table" &
        running[$!]=$table states[$table]=running
        return 0
    done
    return 1
}

while true; do
    while [ ${#running[@]} -lt $lanes ] && start_one "$1"; do :; done
    [ ${#running[@]} -gt 0 ] || break
    code=0
    wait -n -p ended "${!running[@]}" || code=$?
    count "$code"
    table=${running[$ended]}
    unset "running[$ended]"
    states[$table]=mirrored
    [ ! -e "$scratch/failed.$table" ] || states[$table]=failed
done
