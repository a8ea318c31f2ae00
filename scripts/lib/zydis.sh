# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# Meson fetches Zydis from its authors by itself (subprojects/zydis.wrap).  A machine that
# reaches only a Debian mirror gets the same bytes from Debian's source package instead.

zydis_field() {
	sed -n "s/^$1 *= *//p" "$root/subprojects/zydis.wrap"
}

zydis_is_right() {
	[ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$(zydis_field source_hash)" ]
}

# zydis_download DIR: Debian's source package into DIR.
#
# Most systems have no deb-src entry.  Rather than edit theirs, make a private apt configuration
# from the archives it uses, with package lists of its own, all of it inside DIR.
zydis_download() {
	local dir=$1
	local apt=(apt-get -q
		-o "APT::Sandbox::User=$(id -un)"
		-o "Dir::Cache=$dir/cache"
		-o "Dir::Etc::SourceList=$dir/sources.list"
		-o "Dir::Etc::SourceParts=$dir/none"
		-o "Dir::State::Lists=$dir/lists")

	mkdir -p "$dir/cache/archives/partial" "$dir/lists/partial" "$dir/none"
	# shellcheck disable=SC2016
	apt-get indextargets -o APT::Get::IndexTargets::OnlyPresent=false \
		--format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		sort -u >"$dir/sources.list"
	"${apt[@]}" update || echo 'some lists are missing; going on with the others'
	cd "$dir" && "${apt[@]}" source --download-only zydis
}

# zydis_into DIR: make sure that DIR/subprojects/packagecache holds the tarball.
zydis_into() {
	local cache=$1/subprojects/packagecache file scratch
	file=$(zydis_field source_filename)
	if zydis_is_right "$cache/$file"; then
		say "  ok    $file is in ${cache#"$PWD"/}"
		return 0
	fi
	mkdir -p "$cache"
	if zydis_is_right "$root/subprojects/packagecache/$file"; then
		cp "$root/subprojects/packagecache/$file" "$cache/$file"
		say "  ok    $file copied into ${cache#"$PWD"/}"
		return 0
	fi
	command -v apt-get >/dev/null ||
		die "no apt-get here to fetch Debian's source package of zydis" \
			"let meson fetch $(zydis_field source_url)," \
			"or put that file there as $cache/$file"
	scratch=$(mktemp -d)
	if run_logged zydis "fetch Debian's source of zydis" zydis_download "$scratch" &&
		zydis_is_right "$scratch/$file"; then
		mv "$scratch/$file" "$cache/$file"
		rm -rf "$scratch"
		return 0
	fi
	rm -rf "$scratch"
	die "no $file with sha256 $(zydis_field source_hash)" \
		"Debian 12 has it in its source package zydis; is a Debian 12 mirror configured?" \
		"Otherwise fetch $(zydis_field source_url)" "and put it there as $cache/$file"
}

# An extracted tree keeps the build files it was extracted with.
zydis_refresh() {
	local dir
	dir=$root/subprojects/$(zydis_field directory)
	[ -d "$dir" ] || return 0
	cp -r "$root/subprojects/packagefiles/zydis/." "$dir/"
}
