#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: run.sh [--long] MODEL
#
# Let spin try every interleaving of MODEL, a file beside this one, and then of the model with one
# mistake at a time: a model that finds none of them proves nothing.  Status 0 if the model holds and
# each mistake is found.
#
#   --long   more vCPUs, CPUs and rounds instead, without mistakes: minutes and gigabytes
set -eu

kind=check
if [ "$1" = --long ]; then
	kind=long
	shift
fi
model=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
passed=0
failed=0

# build FLAG...: the model's program, with flags for spin before -- and for the compiler behind it.
build() {
	flags=
	while [ "$1" != -- ]; do
		flags="$flags $1"
		shift
	done
	shift
	rm -f pan pan.*
	# shellcheck disable=SC2086
	spin $flags -a "$model" >spin.log
	# What spin writes is not ours to keep free of warnings.  -O2 takes longer than it saves.
	cc -w -O1 "$@" -o pan pan.c
}

# verdict NAME WANTED OPTIONS: run the program; WANTED is the number of errors, 0 or 1.
verdict() {
	options=$3
	# shellcheck disable=SC2086
	./pan -m1000000 $options >pan.log 2>&1 || true
	if grep -q "errors: $2\$" pan.log && ! grep -q 'max search depth too small' pan.log; then
		passed=$((passed + 1))
		printf '  ok    %s: %s\n' "$1" "$(grep -m1 -E '^pan:1' pan.log ||
			sed -n 's/^ *\([0-9]*\) states, stored.*/\1 states/p' pan.log)"
	else
		failed=$((failed + 1))
		printf '  FAIL  %s\n' "$1"
		cat pan.log
	fi
}

# mistakes NAME... -- FLAG...: each is found by an assertion, and so soon that compiling is what counts.
mistakes() {
	names=
	while [ "$1" != -- ]; do
		names="$names $1"
		shift
	done
	shift
	for bug in $names; do
		build "-DBUG_$bug" "$@" -- -DSAFETY -O0
		verdict "the mistake $bug is found" 1 ''
	done
}

check_kick() {
	build -DFIRST=1 -DSECOND=1 -- -DSAFETY
	verdict 'two requesters' 0 ''
	build -DFIRST=2 -DSECOND=0 -DLOSSY -- -DSAFETY
	verdict 'two requests in a row, IPIs are lost or come twice' 0 ''
	build -DFIRST=3 -DSECOND=0 -- -DSAFETY
	verdict 'three requests in a row' 0 ''
	build -DPROGRESS -DFIRST=2 -DSECOND=0 -- -DNFAIR=3
	verdict 'every request is served' 0 '-a -f'
	mistakes NO_FENCE REQUESTS_FIRST EPOCH_FIRST LOOK_FIRST NO_KICK NO_WAIT NO_FLUSH CLEAR_LATE \
		LEAVE_EARLY LOOK_BEFORE_CLGI FLUSH_BY_KICK_ALONE -- -DFIRST=1 -DSECOND=1
	mistakes NO_TICK -- -DFIRST=1 -DSECOND=0 -DLOSSY
	build -DPROGRESS -DBUG_NO_KICK -DFIRST=2 -DSECOND=0 -- -DNFAIR=3
	verdict 'a kick that is missing stops progress' 1 '-a -f'
}

check_life() {
	build -DROUNDS=2 -- -DSAFETY
	verdict 'two vCPUs, two pauses' 0 ''
	build -DROUNDS=1 -DVCPUS=3 -- -DSAFETY -DCOLLAPSE
	verdict 'three vCPUs, one pause' 0 ''
	mistakes ONE_LOOK TWO_LOOKS STATE_FIRST KICK_FIRST NO_KICK NO_WAIT NO_WAKE RESET_AT_ONCE -- \
		-DROUNDS=2
}

check_sleep() {
	build -DHOPS=3 -- -DSAFETY
	verdict 'three vCPUs pass a token' 0 ''
	build -DHOPS=3 -DLOSSY -- -DSAFETY
	verdict 'IPIs are lost, and ticks come' 0 ''
	mistakes LOOK_FIRST IRR_LATE NO_REQUEST NO_WAKE NO_IPI CLEAR_LATE NO_RECHECK ANNOUNCE_LATE \
		NO_FENCE NO_SECOND_LOOK -- -DHOPS=3
	mistakes NO_TICK -- -DHOPS=3 -DLOSSY
}

check_flush() {
	build -DLOSSY -- -DSAFETY
	verdict 'two vCPUs move among three CPUs, IPIs are lost' 0 ''
	build -DVCPUS=3 -DPINNED -DTICKS=0 -- -DSAFETY
	verdict 'three vCPUs, each on a CPU of its own' 0 ''
	mistakes NO_FENCE EPOCH_FIRST NO_KICK NO_WAIT NO_FLUSH FREE_FIRST ENTRY_FIRST NO_SECTION \
		NO_SECOND_SECTION ONE_COUNTER COUNT_LATE -- -DCPUS=2
	mistakes NO_TICK -- -DCPUS=2 -DLOSSY
	mistakes OLD_ASID -- -DCPUS=2 -DROUNDS=2
	mistakes TWO_OF_THREE -- -DVCPUS=3 -DPINNED -DTICKS=0
}

# holds NAME FLAG...: a model that is larger.
holds() {
	name=$1
	shift
	build "$@" -- -DSAFETY -DCOLLAPSE
	verdict "$name" 0 ''
}

long_kick() {
	holds 'four requests in a row' -DFIRST=4 -DSECOND=0
}

long_life() {
	holds 'two vCPUs, four pauses' -DROUNDS=4
}

long_sleep() {
	holds 'three vCPUs, four hops' -DHOPS=4
	holds 'three vCPUs, four hops, IPIs are lost' -DHOPS=4 -DLOSSY
}

long_flush() {
	holds 'two vCPUs, two CPUs, two frames' -DCPUS=2 -DROUNDS=2
	holds 'three vCPUs, each on a CPU of its own, IPIs are lost' -DVCPUS=3 -DPINNED -DLOSSY \
		-DTICKS=0
	holds 'three vCPUs move between two CPUs' -DVCPUS=3 -DCPUS=2 -DTICKS=0
}

name=$(basename "$model" .pml)
case $name in
flush | kick | life | sleep) "${kind}_$name" ;;
*)
	echo "run.sh: no list of runs for $model" >&2
	exit 2
	;;
esac

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
