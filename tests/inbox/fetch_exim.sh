#!/bin/sh
# Fetch Debian's Exim for the judge of header syntax and unpack it beside this file, into .exim.
#
# It is not installed: as a package it would take the place of Postfix, which other tests need. What it is linked
# against is installed where root asks for that; anybody else is told what is missing when the judge starts.
set -eu
folder="$(cd "$(dirname "$0")" && pwd)/.exim"
[ -x "$folder/usr/sbin/exim4" ] && exit 0
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "Exim cannot be fetched: this is not Debian." >&2
    exit 0
fi
fetched="$(mktemp -d)"
trap 'rm -rf "$fetched"' EXIT
chmod 755 "$fetched"
(cd "$fetched" && apt-get download -q exim4-daemon-light)
package="$(ls "$fetched"/*.deb)"
if [ "$(id -u)" = 0 ]; then
    # alternatives are never needed here, and what belongs to running a mail server is not wanted
    needed="$(dpkg-deb -f "$package" Depends | tr ',' '\n' | grep -v -e exim4 -e debconf | paste -s -d ,)"
    DEBIAN_FRONTEND=noninteractive apt-get satisfy -y -q --no-install-recommends "$needed"
fi
rm -rf "$folder"
mkdir -p "$folder"
dpkg-deb -x "$package" "$folder"
chmod u-s "$folder/usr/sbin/exim4"
echo '*' >"$folder/.gitignore"
