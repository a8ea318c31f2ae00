#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: pkgconfig.sh SOURCE_ROOT BUILD_ROOT CODE_MODEL VERSION
#
# Install into an empty folder and build a program with nothing but what pkg-config says.  The whole
# archive is linked, so that a member that needs something of an archive left behind is noticed.

set -eu

source=$1 build=$2 code_model=$3 version=$4
# shellcheck source=tests/consumer/installed.sh
. "$source/tests/consumer/installed.sh"
[ "$(pkg-config --modversion libsvm-vmm)" = "$version" ]
[ "$(pkg-config --variable=code_model libsvm-vmm)" = "$code_model" ]

# shellcheck disable=SC2046
cc -std=gnu17 -Wall -Wextra -Werror -fno-pie -no-pie -o "$image/consumer" \
	"$source/tests/consumer/project/consumer.c" $(pkg-config --cflags libsvm-vmm) \
	-Wl,--whole-archive $(pkg-config --libs libsvm-vmm) -Wl,--no-whole-archive
said=$("$image/consumer")
echo "$said"
case $said in
"libsvm $version") ;;
*) exit 1 ;;
esac
