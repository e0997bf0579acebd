#!/usr/bin/env bash
# Usage: vulncheck.sh GOVULNCHECK PACKAGES...
# Fails on a vulnerability that our code reaches. The database is online only: where it cannot be fetched, says so and
# succeeds, so that lint also works on a machine without that access.
set -uo pipefail

govulncheck=$1
shift

output=$("$govulncheck" "$@" 2>&1)
status=$?
echo "$output"
if ((status != 0)) && grep -q '^govulncheck: fetching vulnerabilities' <<<"$output"; then
  echo "vulnerabilities NOT checked: the database cannot be reached from here" >&2
  exit 0
fi
exit "$status"
