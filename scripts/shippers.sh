#!/usr/bin/env bash
# Unpacks log shippers of the system's packages below a folder, without root and without installing them:
#
#   shippers.sh FOLDER
#
# Tests follow files with them and send what they read, as docs/clients.md shows. It fails where there are no packages of Debian: the tests are
# skipped there, unless the programs are installed. What a program needs besides is unpacked beside it if the machine lacks it;
# docs/shippers_test.go tells each program where that is.
set -euo pipefail

# shellcheck source=scripts/debs.sh
source "$(dirname "$0")/debs.sh"
use_debs "$1"
unpack rsyslog rsyslog rsyslog-elasticsearch
unpack syslog-ng syslog-ng-core syslog-ng-mod-http
unpack collectd collectd-core libcurl3-gnutls libyajl2
drop_lists
touch "$folder/.installed"
