#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: run.sh MODEL
#
# Let spin try every interleaving of MODEL, a file beside this one, and then of the model with one
# mistake at a time: a model that finds none of them proves nothing.  Status 0 if the model holds and
# each mistake is found.
set -eu

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
	# What spin writes is not ours to keep free of warnings.
	cc -w -O2 "$@" -o pan pan.c
}

# verdict NAME WANTED OPTIONS: run the program; WANTED is the number of errors, 0 or 1.
verdict() {
	options=$3
	# shellcheck disable=SC2086
	./pan -m200000 $options >pan.log 2>&1 || true
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

# mistakes NAME... -- FLAG...: each is found by an assertion.
mistakes() {
	names=
	while [ "$1" != -- ]; do
		names="$names $1"
		shift
	done
	shift
	for bug in $names; do
		build "-DBUG_$bug" "$@" -- -DSAFETY
		verdict "the mistake $bug is found" 1 ''
	done
}

check_kick() {
	build -DFIRST=1 -DSECOND=1 -- -DSAFETY
	verdict 'two requesters' 0 ''
	build -DFIRST=3 -DSECOND=0 -- -DSAFETY
	verdict 'three requests in a row' 0 ''
	build -DPROGRESS -DFIRST=2 -DSECOND=0 -- -DNFAIR=3
	verdict 'every request is served' 0 '-a -f'
	mistakes NO_FENCE REQUESTS_FIRST EPOCH_FIRST LOOK_FIRST NO_KICK NO_WAIT NO_FLUSH CLEAR_LATE \
		LEAVE_EARLY -- -DFIRST=1 -DSECOND=1
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

case $(basename "$model") in
kick.pml) check_kick ;;
life.pml) check_life ;;
sleep.pml) check_sleep ;;
*)
	echo "run.sh: no list of runs for $model" >&2
	exit 2
	;;
esac

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
