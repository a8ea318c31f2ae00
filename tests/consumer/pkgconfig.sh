#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: pkgconfig.sh SOURCE_ROOT BUILD_ROOT CODE_MODEL VERSION
#
# Install into an empty folder and build a program with nothing but what pkg-config says.  The whole
# archive is linked, so that a member that needs something of an archive left behind is noticed.

set -eu

source=$1 build=$2 code_model=$3 version=$4
image=$(mktemp -d)
trap 'rm -rf "$image"' EXIT

meson install -C "$build" --no-rebuild --quiet --destdir "$image"
pc=$(find "$image" -name libsvm-vmm.pc)
[ -n "$pc" ] || { echo 'no libsvm-vmm.pc was installed'; exit 1; }

PKG_CONFIG_PATH=$(dirname "$pc")
PKG_CONFIG_SYSROOT_DIR=$image
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
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
