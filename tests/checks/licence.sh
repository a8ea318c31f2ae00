#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: licence.sh SOURCE_ROOT
#
# Each file of code says in its first three lines under which licence it may be used.  What a program
# prints, in a file expected, is compared as it is.  Debian's changelog and source/format have no
# comments; the package is under the licence of all the rest.

set -eu

cd "$1"
line='SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only'
count=0 bad=0
list=$(mktemp)
trap 'rm -f "$list"' EXIT

find .ci docs examples include ports scripts src subprojects/packagefiles tests tools -type f \
	! -name '*.md' ! -name '*.svg' ! -name '*.bin' ! -name expected ! -path '*/debian/changelog' \
	! -path '*/debian/source/format' ! -path '*/corpus/*' ! -path '*/__pycache__/*' \
	-size +0 >"$list" 2>/dev/null || true
while read -r file; do
	count=$((count + 1))
	head -n 3 "$file" | grep -qF "$line" && continue
	echo "$file: no line '$line'"
	bad=$((bad + 1))
done <"$list"

echo "$count files, $bad without a licence"
[ "$count" -gt 0 ] && [ "$bad" -eq 0 ]
