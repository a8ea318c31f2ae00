#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: undefined.sh ARCHIVE
#
# What a kernel has to bring along for the freestanding archive: these four functions and nothing
# else. All members are linked into one object first, so that what one needs of another is
# resolved.

set -eu

archive=$1 ld=${LD:-ld} nm=${NM:-nm}
object=$(mktemp)
trap 'rm -f "$object"' EXIT

"$ld" -r --whole-archive "$archive" -o "$object"
defined=$("$nm" --defined-only "$object" | wc -l)
[ "$defined" -gt 0 ] || { echo "$archive defines nothing"; exit 1; }

needed=$("$nm" --undefined-only --format=posix "$object" | cut -d' ' -f1 |
	grep -vx -e memcmp -e memcpy -e memmove -e memset) || true
if [ -n "$needed" ]; then
	echo "$archive needs more than memcmp, memcpy, memmove and memset:"
	echo "$needed"
	exit 1
fi
echo "$defined symbols defined; undefined at most memcmp, memcpy, memmove, memset"
