# count.awk - what the fault tests did, fault by fault, and in one line
#
# Usage: awk -f tests/faults/count.awk tests/faults/matrix.toml TALLY [OUTPUT_OF_CARGO_TEST]
# TALLY is what FAULTS_TALLY named while they ran. With the output it says too how many of the tests that the matrix names
# passed; one that was skipped did not. Exit code 1: nothing was injected, or not all of it survived.
FILENAME == ARGV[1] {
    if ($1 == "number") number = $3
    if (match($0, /::[a-z0-9_]+"/)) { named++; fault[named] = number; test[named] = substr($0, RSTART + 2, RLENGTH - 3) }
    next
}
FILENAME == ARGV[2] {
    if ($1 == "injected") { injected[$2] += $3; all += $3 }
    if ($1 == "survived") { survived[$2] += $3; through += $3; rows += $4 }
    if ($1 == "skipped") { skips++; print; sub(/^.*::/, "", $2); sub(/:$/, "", $2); skipped[$2] = 1 }
    next
}
/^test .* ok$/ { name = $2; sub(/^.*::/, "", name); ok[name] = 1 }

END {
    for (i = 1; i <= named; i++) { of[fault[i]]++; if (test[i] in ok && !(test[i] in skipped)) passed[fault[i]]++ }
    for (number = 1; number <= 40; number++) {
        line = sprintf("fault %2d  ", number)
        if (number in injected) line = line sprintf("injected %5d  survived %5d", injected[number], survived[number])
        else line = line sprintf("%-31s", "not counted")
        if (ARGC > 3) line = line sprintf("  tests %2d, passed %2d", of[number], passed[number])
        if (ARGC > 3 || number in injected) print line
        if (of[number] == passed[number]) held++
    }
    if (ARGC > 3) printf "of 40 faults %d had all their tests pass\n", held
    lost = all == through ? "rows lost 0" : "rows lost: not known, see the failures"
    printf "faults injected %d, survived %d, rows compared %d, %s, tests skipped %d\n", all, through, rows, lost, skips
    exit all == 0 || all != through
}
