#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Speed and memory of "hanglab scan" beside GNU grep, in one run on the same files: tests/bench/scan.sh
# [HANGLAB [GENERATOR [MEBIBYTES]]]. Prints a table; the exit code is 1 when a limit is missed.
set -eu
hanglab=${1:-./hanglab}
generator=${2:-build/tests/bench/log-generator}
size=${3:-1024}
folder=$(mktemp -d "${TMPDIR:-/var/tmp}/hanglab-bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT INT TERM
missed=0

# The patterns that people grep kernel logs with.
patterns='blocked for more than|soft lockup|hard LOCKUP|detected stall|Kernel panic|BUG:|Oops:'

# seconds COMMAND...: best of three, wall time; the command may find nothing or something.
seconds()
{
	best=
	for _ in 1 2 3; do
		start=$(date +%s%N)
		"$@" >"$folder/output" || [ $? -eq 1 ] # grep stops at the first match when it writes to /dev/null
		now=$(( $(date +%s%N) - start ))
		if [ -z "$best" ] || [ "$now" -lt "$best" ]; then best=$now; fi
	done
	echo "$best"
}

# check NAME VALUE RELATION LIMIT
check()
{
	if awk "BEGIN { exit !($2 $3 $4) }"; then verdict=ok; else verdict=MISSED; missed=1; fi
	printf '  %-44s %10s   (%s %s: %s)\n' "$1" "$2" "$3" "$4" "$verdict"
}

resident() # KiB at most
{
	/usr/bin/env python3 - "$@" <<-'PYTHON'
	import resource, subprocess, sys
	subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
	print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
	PYTHON
}

rate() # BYTES NANOSECONDS -> GB/s
{
	awk "BEGIN { printf \"%.2f\", $1 / $2 }"
}

sparse=$folder/sparse.log
"$generator" $((size * 1048576)) 100000 >"$sparse"
bytes=$(stat -c %s "$sparse")
cat "$sparse" >/dev/null # into the page cache
scan=$(seconds "$hanglab" scan --format jsonl "$sparse")
grep=$(seconds env LC_ALL=C grep -E "$patterns" "$sparse")
echo "log of $size MiB, a report every 100,000 lines"
printf '  %-44s %10s\n' "grep -E, GB/s" "$(rate "$bytes" "$grep")"
check "hanglab scan, GB/s" "$(rate "$bytes" "$scan")" '>=' 1.5
check "times as fast as grep -E" "$(awk "BEGIN { printf \"%.1f\", $grep / $scan }")" '>=' 3
check "resident, KiB" "$(resident "$hanglab" scan --format jsonl "$sparse")" '<=' 65536
rm "$sparse"

dense=$folder/dense.log
"$generator" $((64 * 1048576)) 0 >"$dense"
bytes=$(stat -c %s "$dense")
scan=$(seconds "$hanglab" scan --format jsonl "$dense")
echo "log of 64 MiB, nothing but reports"
check "hanglab scan, MB/s" "$(awk "BEGIN { printf \"%.0f\", 1000 * $bytes / $scan }")" '>=' 100
rm "$dense"

small=$folder/small.log
"$generator" 1048576 100000 >"$small"
first=$(resident "$hanglab" scan --format jsonl "$small")
"$generator" $((size * 1048576)) 100000 >"$folder/part.log"
last=$(resident sh -c "for _ in 1 2 3 4; do cat $folder/part.log; done | $hanglab scan --format jsonl -")
echo "resident memory from 1 MiB to $((4 * size)) MiB, KiB"
check "growth over $first" "$((last - first))" '<=' 4096
exit $missed
