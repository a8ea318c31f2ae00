#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: size.sh ARCHIVE MONITOR_KIB DIAGNOSIS_KIB WHOLE_KIB DEVICES_KIB
#
# Code and constants of the freestanding archive: of the monitor without what leads to the emulator,
# of what explains it (audit, names, texts, self-tests), of both with the emulator and Zydis, and of
# devices and loaders, which a kernel that does not use them does not link.  A kernel carries them in
# memory that is never paged out.

set -eu

# "text" of size(1) is code and read-only data; "data" may be pointers in constant tables.
size "$1" | awk -v monitor_most="$2" -v diagnosis_most="$3" -v whole_most="$4" -v devices_most="$5" '
	function line(what, bytes, members, most) {
		printf "%-10s %6.1f of %3d KiB, %d members\n", what, bytes / 1024, most, members
		return members > 0 && bytes <= most * 1024
	}
	$1 == "text" { next }
	$6 ~ /^(platform|boot)_/ { devices += $1 + $2; of_devices++; next }
	{ whole += $1 + $2; of_whole++ }
	$6 ~ /^core_(diagnose_|names|error|hal_check)/ { diagnosis += $1 + $2; of_diagnosis++; next }
	$6 ~ /^core_vcpu_(emulation|exit_task|device_move|walk_memo)/ { next }
	$6 ~ /^(core|hal)_/ { monitor += $1 + $2; of_monitor++ }
	END {
		good = line("monitor", monitor, of_monitor, monitor_most)
		good += line("diagnosis", diagnosis, of_diagnosis, diagnosis_most)
		good += line("whole", whole, of_whole, whole_most)
		good += line("devices", devices, of_devices, devices_most)
		exit good != 4
	}'
