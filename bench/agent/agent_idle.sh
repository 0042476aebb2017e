#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# agent_idle.sh [PROGRAM [SECONDS]]
# What an agent costs while its program sleeps: memory in KiB and CPU in percent of a core, for a
# release build. Fails above the targets: 8 MiB resident, 0.1 %.
set -eu
program=${1:-build/release/bin/coromd} seconds=${2:-30}
work=$(mktemp -d)
agent=
trap 'test -z "$agent" || kill -9 "$agent"; rm -rf "$work"' EXIT
mkdir "$work/spool" "$work/job"
cat >"$work/job/job.json" <<EOF
{"version": 1, "key": "idle", "attempt": 1, "spool": "$work/spool", "directory": "$work/job",
 "command": ["sleep", "$((seconds + 60))"], "script": false, "environment": {}, "input": "",
 "walltime_ms": 86400000, "stop_early_ms": 60000, "grace_ms": 60000, "heartbeat_ms": 30000,
 "record_patience_ms": 0,
 "stop": {"signal": 15, "log": "md.log", "ready": "Started mdrun", "acknowledged": "Received the"},
 "signalled_together": false, "recoverable": true, "cores": [], "gpus": []}
EOF
"$program" supervise "$work/job/job.json" &
agent=$!
tries=0
until pgrep -P "$agent" sleep >/dev/null; do
    tries=$((tries + 1))
    test "$tries" -lt 1000 || { echo "the agent does not start its program" >&2; exit 1; }
    sleep 0.01
done

# In nanoseconds on the CPU; a tick of /proc/PID/stat would be a tenth of what is allowed.
cpu() { cut -d' ' -f1 "/proc/$agent/schedstat"; }
before=$(cpu)
sleep "$seconds"
after=$(cpu)
awk '/^(VmHWM|VmRSS|RssAnon|RssFile):/ { print $1, $2, "KiB" }' "/proc/$agent/status"
awk '/^Pss:/ { print "Pss:", $2, "KiB" } /^Private_/ { own += $2 } END { print "Uss:", own, "KiB" }' \
    "/proc/$agent/smaps_rollup"
rss=$(awk '/^VmRSS:/ { print $2 }' "/proc/$agent/status")
awk -v ns="$((after - before))" -v s="$seconds" -v rss="$rss" 'BEGIN {
    percent = ns / s / 1e7
    printf "Cpu: %.4f %% of a core over %d s\n", percent, s
    exit !(rss <= 8192 && percent <= 0.1)
}'
