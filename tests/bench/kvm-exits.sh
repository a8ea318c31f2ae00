# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash
#
# Inside the L1 of scripts/bench: KVM's figures, or those of the module, with the monitor kvm.c.
set -e
# Here as on bare metal without the exit behind each interrupt, which only QEMU needs and KVM lacks.
[ -e /dev/kvm ] || { rmmod libsvm && insmod /modules/libsvm.ko careful=2 node=kvm; }
kvm guest /run/exit_costs.elf
kvm guest /run/pc_costs.elf
kvm inject
kvm signal
kvm life
kvm memory
