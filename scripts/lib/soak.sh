# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# A test of random cases, run again and again with other seeds, on every processor.  And programs
# that count their cases by themselves, one after another.

# The failed one's output is what the screen shows last.
soak_chunk_failed() {
	[ -z "$terminal" ] || printf '\n'
	mkdir -p "$log_dir"
	tail -n 100 "$1"
	mv "$1" "$log_dir/soak.log"
	die "it failed: $2" "all of it is in $log_dir/soak.log"
}

# soak_progress WHAT DONE WANTED SECONDS
soak_progress() {
	local rate=$(($2 / ($4 > 0 ? $4 : 1))) left=$(($3 > $2 ? $3 - $2 : 0)) line
	line="$2 of $3 $1, $rate a second"
	[ "$rate" -eq 0 ] || [ -n "$seconds" ] || line+=", $((left / rate)) s left"
	[ -z "$seconds" ] || line+=", $((seconds > $4 ? seconds - $4 : 0)) s left"
	if [ -n "$terminal" ]; then
		printf '\r%s\e[K' "$line"
	else
		say "$line"
	fi
}

# soak_chunks WHAT WANTED CHUNK SECONDS COMMAND...
#
# Run `COMMAND CHUNK SEED` with a new seed each time until WANTED cases are done, or, where SECONDS
# is not empty, for so long: then more or fewer.
soak_chunks() {
	local what=$1 wanted=$2 chunk=$3 seconds=$4 start=$SECONDS shown=-30 finished=0 started=0
	local seed logs pid status
	local -A log_of=()
	shift 4
	seed=$(date +%s)
	logs=$(mktemp -d "$root/build/soak.XXXXXX")
	# Whoever ends this ends what it started.
	trap 'kill "${!log_of[@]}" 2>/dev/null || true; rm -rf "$logs"' EXIT
	while :; do
		while [ "${#log_of[@]}" -lt "$(nproc)" ] && soak_goes_on; do
			started=$((started + chunk))
			"$@" "$chunk" "$seed" >"$logs/$seed" 2>&1 </dev/null &
			log_of[$!]=$logs/$seed
			seed=$((seed + 1))
		done
		[ "${#log_of[@]}" -gt 0 ] || break
		status=0
		wait -n -p pid "${!log_of[@]}" || status=$?
		[ "$status" -eq 0 ] ||
			soak_chunk_failed "${log_of[$pid]}" "$* $chunk ${log_of[$pid]##*/}"
		rm "${log_of[$pid]}"
		unset "log_of[$pid]"
		finished=$((finished + chunk))
		if [ -n "$terminal" ] || [ $((SECONDS - shown)) -ge 30 ]; then
			shown=$SECONDS
			soak_progress "$what" "$finished" "$wanted" $((SECONDS - start))
		fi
	done
	trap - EXIT
	rmdir "$logs"
	[ -z "$terminal" ] || printf '\n'
	say "$finished $what in $((SECONDS - start)) s, no failure"
	[ "$finished" -ge "$wanted" ] || say "${yellow}fewer than $wanted: the time was over$plain"
}

# Reads the variables of soak_chunks.
soak_goes_on() {
	if [ -n "$seconds" ]; then
		[ $((SECONDS - start)) -lt "$seconds" ]
	else
		[ "$started" -lt "$wanted" ]
	fi
}

passed=0 failed=0

# soak_counted COMMAND...: one that ends with a line "N passed, N failed"; the first failure is the
# last that runs.
soak_counted() {
	local log status=0 one=0 bad=0
	log=$(mktemp)
	"$@" | tee "$log" || status=$?
	read -r one bad < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log") || true
	rm "$log"
	one=${one:-0} bad=${bad:-0}
	[ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
	passed=$((passed + one)) failed=$((failed + bad))
	[ "$failed" -eq 0 ] || {
		soak_sum
		exit 1
	}
}

soak_sum() {
	say "$passed passed, $failed failed"
}

# soak_jobs GIBIBYTES: how many processes of this size can run at once, one per processor.
soak_jobs() {
	local room
	room=$(($(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / ($1 << 20)))
	[ "$room" -le "$(nproc)" ] || room=$(nproc)
	echo $((room > 0 ? room : 1))
}
