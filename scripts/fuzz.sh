#!/usr/bin/env bash
# Usage: fuzz.sh DURATION PACKAGES...
# Runs every fuzz target of the packages for the duration, one after another, and goes on after a failure so that one run
# shows all of them. `go test` writes the failing input to the package's testdata/fuzz, ready to be committed with the fix.
set -euo pipefail

duration=$1
shift
go=${GO:-go}

# `go test -list` prints the targets of a package and then "ok <package> <time>".
targets=$("$go" test -list '^Fuzz' "$@" | awk '
  /^Fuzz/ { names[++n] = $1 }
  /^ok/   { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }
  !/^(Fuzz|ok|\?)/ { print > "/dev/stderr" }')
if [[ -z "$targets" ]]; then
  echo "no fuzz targets in $*" >&2
  exit 1
fi

failed=()
while read -r package name; do
  echo "== $name in $package for $duration"
  "$go" test -run '^$' -fuzz "^$name\$" -fuzztime "$duration" "$package" </dev/null || failed+=("$package $name")
done <<<"$targets"

if ((${#failed[@]} > 0)); then
  printf 'failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
