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
	said=$(timeout 60 make -s -C "$kernel" run 2>"$kernel/run.log" | tr -d '\r') || said="$said; $?"
	echo "$compiler: $said"
	[ "$said" = 'tiny-kernel: frames, interrupts and a clock
3 2 1 HLT' ] || { cat "$kernel/run.log"; exit 1; }
done

# What the first line of its page promises.
lines=$(cat "$source"/examples/tiny-kernel/*.[chS] | wc -l)
[ "$lines" -le 400 ] || { echo "$lines lines are not tiny"; exit 1; }
