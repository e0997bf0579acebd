#!/usr/bin/env bash
# Unpacks log shippers of the system's packages below a folder, without root and without installing them:
#
#   shippers.sh FOLDER
#
# Tests follow files with them and send what they read, as docs/clients.md shows. It needs Debian's apt-get and dpkg-deb, and fails
# where they are not: the tests are skipped there, unless the programs are installed. What a program needs besides is unpacked beside it
# if the machine lacks it; docs/shippers_test.go tells each program where that is.
set -euo pipefail

folder=$1
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo 'shippers are taken from Debian packages, and this machine has no apt-get'; exit 1; }
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# The lists of packages are fetched into the folder, as those of the machine are root's, may be old, and images of containers come without.
mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
apt() {
  apt-get -qq -o Dir::State::Lists="$folder/apt/lists" -o Dir::Cache="$folder/apt" -o APT::Sandbox::User= -o Debug::NoLocking=1 "$@"
}
apt update

# Each by itself: Debian has one program for the system's log at a time, so they are in conflict with each other.
unpack() {
  local root=$folder/$1 packages
  shift
  packages=$(apt install --simulate --reinstall --no-install-recommends "$@" | awk '$1 == "Inst" { print $2 }')
  mkdir -p "$folder/apt/debs"
  rm -rf "$root" "$folder"/apt/debs/*
  # shellcheck disable=SC2086 # names of packages have no spaces
  (cd "$folder/apt/debs" && apt download $packages)
  for deb in "$folder"/apt/debs/*.deb; do dpkg-deb --extract "$deb" "$root"; done
}
unpack rsyslog rsyslog rsyslog-elasticsearch
unpack syslog-ng syslog-ng-core syslog-ng-mod-http
unpack collectd collectd-core libcurl3-gnutls libyajl2
rm -rf "$folder/apt"
touch "$folder/.installed"
