# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=sh disable=SC2154
#
# Install what is in $build into an empty folder, $image; pkg-config then knows that alone.

image=$(mktemp -d)
trap 'rm -rf "$image"' EXIT

meson install -C "$build" --no-rebuild --quiet --destdir "$image"
pc=$(find "$image" -name libsvm-vmm.pc)
[ -n "$pc" ] || { echo 'no libsvm-vmm.pc was installed'; exit 1; }

PKG_CONFIG_PATH=$(dirname "$pc")
PKG_CONFIG_SYSROOT_DIR=$image
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
