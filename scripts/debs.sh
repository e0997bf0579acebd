# To be sourced: unpacks packages of Debian below a folder, without root and without installing them. It ends the script where there is no
# apt-get or dpkg-deb. `use_debs FOLDER` prepares, `unpack NAME PACKAGE...` unpacks packages, and what they need that the machine lacks, into
# FOLDER/NAME, `drop_lists` removes what was fetched on the way.

use_debs() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "$0 takes Debian packages, and this machine has no apt-get"; exit 1; }
  mkdir -p "$1"
  folder=$(cd "$1" && pwd)
  # The lists of packages are fetched into the folder, as those of the machine are root's, may be old, and images of containers come without.
  mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
  apt_here update
}

apt_here() {
  apt-get -qq -o Dir::State::Lists="$folder/apt/lists" -o Dir::Cache="$folder/apt" -o APT::Sandbox::User= -o Debug::NoLocking=1 "$@"
}

# Each by itself: Debian has one program for the system's log at a time, so they are in conflict with each other.
unpack() {
  local root=$folder/$1 packages
  shift
  packages=$(apt_here install --simulate --reinstall --no-install-recommends "$@" | awk '$1 == "Inst" { print $2 }')
  mkdir -p "$folder/apt/debs"
  rm -rf "$root" "$folder"/apt/debs/*
  # shellcheck disable=SC2086 # names of packages have no spaces
  (cd "$folder/apt/debs" && apt_here download $packages)
  for deb in "$folder"/apt/debs/*.deb; do dpkg-deb --extract "$deb" "$root"; done
}

drop_lists() { rm -rf "$folder/apt"; }
