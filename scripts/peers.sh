#!/usr/bin/env bash
# Fetches the databases that bench/peers.mjs sends the same events to, below a folder, without root and without installing them:
#
#   peers.sh FOLDER
#
# PostgreSQL and InfluxDB are Debian's, and QuestDB comes by Maven; it needs a Java runtime of the machine.
set -euo pipefail

questdb=9.3.4
questdb_sha256=939bc53ab22f93dbaa6545143a6e7c536d4904c07b7f2d381e8eef10436be062

# shellcheck source=scripts/debs.sh
source "$(dirname "$0")/debs.sh"
use_debs "$1"
unpack postgres postgresql-15 postgresql-client-15
unpack influxdb influxdb
drop_lists
mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
  -Dartifact="org.questdb:questdb:$questdb" -DoutputDirectory="$folder" -Dmdep.stripVersion=true
echo "$questdb_sha256  $folder/questdb.jar" | sha256sum --check --quiet
echo "$questdb" > "$folder/questdb.version"
touch "$folder/.installed"
