#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: tiny_kernel.sh SOURCE_ROOT BUILD_ROOT
#
# examples/tiny-kernel, built by its Makefile away from the tree with each compiler, runs its guest.

set -eu

source=$1 build=$2
# shellcheck source=tests/consumer/installed.sh
. "$source/tests/consumer/installed.sh"

for compiler in gcc clang; do
	command -v "$compiler" >/dev/null || continue
	kernel=$image/$compiler
	cp -r "$source/examples/tiny-kernel" "$kernel"
	make -C "$kernel" CC="$compiler" >"$kernel/make.log" 2>&1 || { cat "$kernel/make.log"; exit 1; }
	status=0
	timeout 60 make -s -C "$kernel" run >"$kernel/said" 2>"$kernel/run.log" || status=$?
	cat "$kernel/said"
	[ "$status" -eq 0 ] && "$source/tests/checks/blocks.py" --excerpt "$kernel/README.md" \
		'make run' <"$kernel/said" || { cat "$kernel/run.log"; exit 1; }
done

# What the first line of its page promises.
lines=$(cat "$source"/examples/tiny-kernel/*.[chS] | wc -l)
[ "$lines" -le 400 ] || { echo "$lines lines are not tiny"; exit 1; }
