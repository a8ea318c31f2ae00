#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: spelling.sh ROOT
#        spelling.sh --self-test
#
# codespell over all that people read.  Its list has words that are the field's own, and tests of
# suggestions misspell on purpose, and Linux does; those are allowed to tests alone.

set -eu

words=crate,daa,extint,fpr,fro,ist,nd,shal
misspelt=alls,kernal,lsit,memroy,runn,useable
skipped='*.bin,*.svg,*/corpus/*,*/__pycache__/*'

# look ROOT: status 1 and a line for each word that is on codespell's list
look() (
	cd "$1"
	status=0
	present=
	for name in .ci docs examples include meson.build meson_options.txt ports scripts src \
		subprojects/packagefiles tools *.md; do
		[ ! -e "$name" ] || present="$present $name"
	done
	# shellcheck disable=SC2086
	codespell --skip="$skipped" --ignore-words-list=$words $present || status=1
	[ ! -d tests ] || codespell --skip="$skipped" --ignore-words-list=$words,$misspelt tests ||
		status=1
	return $status
)

if [ "${1:-}" = --self-test ]; then
	tree=$(mktemp -d)
	trap 'rm -rf "$tree"' EXIT
	mkdir "$tree/docs" "$tree/tests"
	echo 'The stack of an IST, and memory.' >"$tree/docs/a.md"
	echo 'lsit' >"$tree/tests/a.c"
	look "$tree" || exit 1
	echo 'It has memroy.' >"$tree/docs/b.md"
	! look "$tree" || exit 1
	rm "$tree/docs/b.md"
	echo 'recieve' >"$tree/tests/b.c"
	! look "$tree" || exit 1
	echo '3 trees judged right'
	exit 0
fi
look "$1"
echo 'no word is on the list'
