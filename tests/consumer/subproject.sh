#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: subproject.sh SOURCE_ROOT CODE_MODEL VERSION
#
# libsvm as a Meson subproject of a fresh project, without a network: only scripts/setup --into.

set -eu

source=$1 code_model=$2 version=$3
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
# Settings of the build that runs this test are not the new project's.
unset CFLAGS LDFLAGS DESTDIR MESONINTROSPECT 2>/dev/null || true

cp "$source"/tests/consumer/project/* "$project"
mkdir -p "$project/subprojects"
ln -s "$source" "$project/subprojects/libsvm"
"$source/scripts/setup" --into "$project"

cd "$project"
meson setup --wrap-mode=nodownload --force-fallback-for=libsvm-vmm \
	-Dlibsvm:code_model="$code_model" build
ninja -C build consumer
said=$(build/consumer)
echo "$said"
case $said in
"libsvm $version") ;;
*) exit 1 ;;
esac
