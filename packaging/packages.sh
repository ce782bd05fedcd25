# shellcheck shell=bash disable=SC2034
# The Debian 12 packages that build and test need, and the function that installs the missing ones.
# Sourced by ./run-tests and ./quickstart.

PACKAGES_BUILD=(
	gcc libc6-dev meson ninja-build pkgconf
	libssl-dev libuv1-dev libexpat1-dev libjansson-dev libsqlite3-dev libmnl-dev libseccomp-dev libcap-ng-dev
	libedit-dev libsystemd-dev libipsec-mb-dev libcrypt-dev libcmocka-dev libzip-dev
	libarchive-dev zlib1g-dev
)
PACKAGES_LAB=(
	python3 python3-pytest iproute2 ethtool conntrack iputils-ping procps nftables iperf3 openssl openconnect ocserv
)

packages_missing() {
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null)" = "ii " ] || echo "$p"
	done
}

# packages_install NAME...: installs what is missing, without starting any daemon that comes along.
packages_install() {
	local missing policy=/usr/sbin/policy-rc.d made_policy=0 status=0
	mapfile -t missing < <(packages_missing "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "error: packages are missing, and installing them needs root: ${missing[*]}" >&2
		return 1
	fi
	echo "# installing ${#missing[@]} packages: ${missing[*]}"
	if [ ! -e $policy ]; then # ocserv and iperf3 are for tests only: they must not listen on this machine
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
		made_policy=1
	fi
	# others may have dpkg locked for a while, as unattended upgrades do
	{ apt-get -qq -o Acquire::Retries=3 update &&
		DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 --no-install-recommends install "${missing[@]}" >/dev/null; } || status=1
	[ $made_policy = 1 ] && rm -f $policy
	if [[ " ${missing[*]} " == *" ocserv "* ]] && command -v systemctl >/dev/null; then
		systemctl disable -q ocserv.service ocserv.socket 2>/dev/null || true # nor after the next boot
	fi
	[ $status = 0 ] || echo "error: the packages could not be installed" >&2
	return $status
}
