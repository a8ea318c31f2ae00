# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash
#
# Inside the L1 of scripts/bench: KVM's figures, or those of the module, with the monitor kvm.c.
set -e
[ -e /dev/kvm ] || ln -s libsvm /dev/kvm
kvm guest /run/exit_costs.elf
kvm guest /run/pc_costs.elf
kvm inject
kvm life
kvm memory
