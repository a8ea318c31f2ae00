#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: headers.sh INCLUDE_DIR HEADER...
#
# Each public header compiles alone and twice over, for every C and C++ compiler at hand, in the
# standards an embedder may use, with and without a libc; and no header is missing from the list.

set -eu

include=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tried=0 failed=0

for file in "$include"/libsvm/*.h; do
	case " $* " in
	*" libsvm/${file##*/} "*) ;;
	*)
		echo "libsvm/${file##*/} is not in include/meson.build: it would not be installed"
		failed=$((failed + 1))
		;;
	esac
done

try() {
	compiler=$1
	shift
	command -v "$compiler" >/dev/null || return 0
	tried=$((tried + 1))
	"$compiler" -I"$include" -Wall -Wextra -Werror -fsyntax-only "$@" && return 0
	echo "failed: $compiler $*"
	failed=$((failed + 1))
}

for header in "$@"; do
	name=$scratch/$(basename "$header" .h)
	# A header may be macros alone, and then the file would be empty.
	printf '#include <%s>\n#include <%s>\nextern int last;\n' "$header" "$header" >"$name.c"
	cp "$name.c" "$name.cc"
	for compiler in gcc clang; do
		try "$compiler" -std=gnu17 -ffreestanding -Wconversion -Wshadow "$name.c"
		try "$compiler" -std=c11 -pedantic "$name.c"
	done
	for compiler in g++ clang++; do
		try "$compiler" -std=c++17 "$name.cc"
	done
done

echo "$tried compilations of $# headers, $failed failures"
[ "$tried" -gt 0 ] && [ "$failed" -eq 0 ]
