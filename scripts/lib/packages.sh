# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# Debian 12 packages, by what they are for.

packages_build='binutils gcc libc6-dev meson ninja-build pkg-config'
packages_boot='cpio grub-common grub-pc-bin mtools qemu-system-x86 seabios xorriso xz-utils'
packages_bench='valgrind'
packages_test='acpica-tools bochs bochs-term check clang codespell cppcheck debhelper dh-dkms
	doxygen frama-c-base g++ gcovr graphviz libclang-rt-14-dev libunicorn-dev libzydis-dev lld llvm make mandoc
	python3 spin valgrind'
packages_kernel='bc bison flex libelf-dev libssl-dev make'
