#!/usr/bin/env bash
# The same faults on Apache Kafka and on Barnabas, three nodes each, and a table of what became of the records (docs/cluster.md).
#   faults.sh [FAULT[:times] …]    faults of io.barnabas.system.cluster.Fault; without any, those of processes
# RATE (100) records a second; beside-kafka.sh says what else can be set
set -euo pipefail
faults=("$@")
[ ${#faults[@]} -gt 0 ] || faults=(KILL_LEADER FREEZE_LEADER KILL_CONTROLLER KILL_CONTROLLER_AND_LEADER ROLLING_RESTART KILL_ALL)
exec "$(dirname "${BASH_SOURCE[0]}")/beside-kafka.sh" FaultTable 3 "${RATE:-100}" "${faults[@]}"
