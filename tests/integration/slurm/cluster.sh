#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later
# A real SLURM cluster with accounting on this one machine, for tests: no systemd, as root, all of it
# in one directory, beside whatever munge and SLURM the machine may have.
#
#   cluster.sh up DIR                      starts it empty (says so and does nothing where one is up)
#   . DIR/env.sh                           for sbatch, squeue, sacct: SLURM_CONF=DIR/etc/slurm.conf
#   cluster.sh status DIR                  0 if all of it is up
#   cluster.sh self-test DIR               runs some jobs, prints ok and failed
#   cluster.sh down DIR [--purge]          ends daemons and jobs; keeps logs and accounts (--purge: nothing)
#
# Faults, which return when they have come about:
#   kill-node, start-node DIR nX           slurmd is killed, its jobs go on; slurmd again
#   crash-node DIR nX                      slurmd and its jobs are killed, as when the power fails
#   down-node, resume-node DIR nX          what an administrator does with scontrol
#   stop-, start-controller DIR            a clean stop; the state is kept
#   hang-, continue-controller DIR         SIGSTOP and SIGCONT
#   stop-, start-accounting DIR            slurmdbd
#
# Nodes n1 to n4, each 8 CPUs, 16 GB, 2 GPUs that do not exist. Partitions: main (the default), high
# (preempts main by requeueing), short (5 minutes, one node). DIR/log has a log of each daemon,
# DIR/pid the process id of each. Packages: slurm-wlm slurmdbd mariadb-server-core munge iproute2.
set -euo pipefail

nodes=(n1 n2 n3 n4)

say() { printf 'cluster: %s\n' "$*"; }
die() { printf 'cluster: %s\n' "$*" >&2; exit 1; }

# Polls, so that nothing waits longer than it must, and nothing for ever.
wait_for() {  # SECONDS COMMAND...
    local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
    shift
    until "$@"; do
        ((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
        sleep 0.05
    done
}

# --- processes -----------------------------------------------------------------------------------

# A process id alone may belong to somebody else by now; with the instant of its start it does not.
started_at() {  # PID
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    stat=${stat##*) }
    local fields
    read -ra fields <<<"$stat"
    [[ ${fields[0]} != [ZX] ]] && printf '%s\n' "${fields[19]}"
}

pid_of() {  # NAME: its process id, if it runs
    local pid start now
    { read -r pid && read -r start; } 2>/dev/null <"$dir/pid/$1" || return 1
    now=$(started_at "$pid") && [[ $now == "$start" ]] && printf '%s\n' "$pid"
}

alive() { pid_of "$1" >/dev/null; }
dead() { ! alive "$1"; }

# The daemon sees nothing of the caller's environment (which may be that of a job of another SLURM),
# and holds none of its files open: ctest waits until all who could write to its pipe have ended.
start() {  # NAME COMMAND...
    local name=$1 fd
    shift
    (
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            ((fd <= 2)) || eval "exec $fd>&-"
        done
        cd "$dir"
        exec setsid env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "COROMD_SLURM_CLUSTER=$dir" \
            "SLURM_CONF=$dir/etc/slurm.conf" "MYSQL_UNIX_PORT=$run/mysql" "$@" </dev/null >>"$dir/log/$name.out" 2>&1
    ) &
    printf '%s\n%s\n' $! "$(started_at $!)" >"$dir/pid/$name"
    disown
}

send() {  # SIGNAL NAME
    local pid
    pid=$(pid_of "$2") || die "$2 does not run"
    kill "-$1" "$pid"
}

stop() {  # NAME: asks, then insists
    local pid
    pid=$(pid_of "$1") || return 0
    kill -TERM "$pid" 2>/dev/null || true
    kill -CONT "$pid" 2>/dev/null || true
    if ! wait_for 8 dead "$1"; then
        kill -KILL "$pid" 2>/dev/null || true
        wait_for 5 dead "$1" || die "process $pid ($1) does not end"
    fi
    rm -f "$dir/pid/$1"
}

# Everything of this cluster that runs, whoever started it and whatever became of DIR/pid: daemons by
# their environment; slurmstepd, which writes its title over its environment, by its log; what jobs
# started by both SLURM_JOB_ID and SLURM_CONF, for a test's own program has the latter too; srun and
# salloc, which would wait on; and all the children of those.
cluster_processes() {  # [NODE]
    local only=${1:-} proc pid parent state name environment
    local -A ours=()
    while read -r pid parent state name; do
        proc=/proc/$pid
        # What has ended stays as a zombie where the container's first process does not look after it.
        [[ $pid != "$$" && $pid != "$BASHPID" && $state != Z* ]] || continue
        environment=$(tr '\0' '\n' 2>/dev/null <"$proc/environ") || continue
        environment=$'\n'$environment$'\n'
        if [[ -n ${ours[$parent]:-} ]] ||
            [[ -z $only && $environment == *$'\n'"COROMD_SLURM_CLUSTER=$dir"$'\n'* ]] ||
            [[ $environment == *$'\n'"SLURM_CONF=$dir/etc/slurm.conf"$'\n'* && $environment == *$'\n'SLURM_JOB_ID=* &&
                $environment == *$'\n'"SLURMD_NODENAME=$only"* ]] ||
            [[ -z $only && $name =~ ^(srun|salloc)$ && $environment == *$'\n'"SLURM_CONF=$dir/etc/slurm.conf"$'\n'* ]] ||
            { [[ $name == slurm* ]] &&
                find "$proc/fd" -lname "$dir/log/${only:+slurmd-$only.}*" -print -quit 2>/dev/null | grep -q .; }; then
            ours[$pid]=1
            printf '%s\n' "$pid"
        fi
    done < <(ps -e -o pid=,ppid=,stat=,comm= --sort=start_time)
}

kill_processes() {  # [NODE]: all, or those of a node
    local pids pid
    mapfile -t pids < <(cluster_processes "$@")
    for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    ((${#pids[@]} == 0))
}

# --- configuration -------------------------------------------------------------------------------

# As many ports in a row as asked for, none of them in use, below those that the kernel gives away.
free_ports() {  # COUNT
    local used base port tries
    used=" $(ss -Htan | awk '{sub(/.*:/, "", $4); print $4}' | sort -u | tr '\n' ' ')"
    for ((tries = 0; tries < 200; tries++)); do
        base=$((20000 + RANDOM % 12000))
        for ((port = base; port < base + $1; port++)); do
            [[ $used != *" $port "* ]] || continue 2
        done
        printf '%s\n' "$base"
        return
    done
    die "no free ports"
}

configure() {
    local ports host me
    ports=$(free_ports $((2 + ${#nodes[@]})))
    host=$(uname -n)
    host=${host%%.*}
    me=$(id -un)

    # A job's GPU is a number and a file; that of a real one is not needed.
    ln -sfn /dev/null "$dir/dev/gpu0"
    ln -sfn /dev/zero "$dir/dev/gpu1"
    printf 'NodeName=n[1-%s] Name=gpu File=%s\n' ${#nodes[@]} "$dir/dev/gpu[0-1]" >"$dir/etc/gres.conf"
    # Never used, but where there is no /sys/fs/cgroup the search for the kind of cgroups is fatal.
    printf 'CgroupPlugin=cgroup/v1\n' >"$dir/etc/cgroup.conf"

    (umask 077 && cat >"$dir/etc/slurmdbd.conf" <<END
AuthType=auth/munge
AuthInfo=socket=$run/munge
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$((ports + 1))
SlurmUser=$me
LogFile=$dir/log/slurmdbd.log
PidFile=$run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=$me
StorageLoc=slurm
END
    )

    cat >"$dir/etc/slurm.conf" <<END
ClusterName=coromd
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$ports
SlurmUser=$me
SlurmdUser=$me
StateSaveLocation=$dir/state
SlurmdSpoolDir=$run/%n
SlurmctldPidFile=$run/slurmctld.pid
SlurmdPidFile=$run/%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd-%n.log
SlurmdParameters=config_overrides
AuthType=auth/munge
# A requeued job waits until its credential is over: two minutes, left to itself.
AuthInfo=socket=$run/munge,cred_expire=10
MpiDefault=none
MailProg=/bin/true
# Processes by their group: no cgroups, which a container need not have.
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none

AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$((ports + 1))
# Without this, sacct would ask the machine's own munge.
AccountingStoragePass=$run/munge
AccountingStorageTRES=gres/gpu

# All that waits is short, for tests wait for it.
MessageTimeout=5
SlurmdTimeout=10
KillWait=2
# A node that did not answer comes back with its slurmd, one that was put down only with resume.
ReturnToService=1
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1,bf_continue
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=512
MaxArraySize=10001
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE

GresTypes=gpu
END
    local i
    for i in "${!nodes[@]}"; do
        printf 'NodeName=%s NodeHostname=%s NodeAddr=127.0.0.1 Port=%s CPUs=8 RealMemory=16384 Gres=gpu:2\n' \
            "${nodes[i]}" "$host" $((ports + 2 + i))
    done >>"$dir/etc/slurm.conf"
    cat >>"$dir/etc/slurm.conf" <<END
PartitionName=main Nodes=ALL Default=YES PriorityTier=1 PreemptMode=REQUEUE MaxTime=1-00:00:00
PartitionName=high Nodes=ALL PriorityTier=10 PreemptMode=OFF MaxTime=1-00:00:00
PartitionName=short Nodes=ALL PriorityTier=1 PreemptMode=REQUEUE MaxTime=5 DefaultTime=1 MaxNodes=1 MaxCPUsPerNode=4
END
    printf 'export SLURM_CONF=%q\n' "$dir/etc/slurm.conf" >"$dir/env.sh"
}

# --- up and down ---------------------------------------------------------------------------------

daemons() { printf '%s\n' munged mariadbd slurmdbd slurmctld "${nodes[@]/#/slurmd-}"; }

all_alive() {
    local name
    for name in $(daemons); do alive "$name" || return 1; done
}

munge_answers() { munge -S "$run/munge" -n >/dev/null 2>&1; }
mariadb_answers() { [[ -S $run/mysql ]]; }
accounting_answers() { timeout 5 sacctmgr -n show cluster >/dev/null 2>&1; }
# sinfo tries again only after seconds: first see whether there is somebody to ask.
controller_answers() {
    ss -Hltn "sport = :$(sed -n 's/^SlurmctldPort=//p' "$dir/etc/slurm.conf")" | grep -q . &&
        timeout 5 sinfo -h >/dev/null 2>&1
}
# The state of a node in sinfo's words; '*' behind it says that its slurmd does not answer.
node_state() { timeout 5 sinfo -h -N -n "$1" -p main -o %T 2>/dev/null; }
node_idle() { [[ $(node_state "$1") == idle ]]; }
node_works() { [[ $(node_state "$1") =~ ^(idle|mixed|allocated|completing)$ ]]; }
node_answers() { [[ $(node_state "$1") =~ ^[a-z]+$ ]]; }
# A controller that has just started knows nothing of its nodes until their slurmd have reported.
nodes_known() {
    local name
    for name in "${nodes[@]}"; do
        dead "slurmd-$name" || [[ $(node_state "$name") != unknown* ]] || return 1
    done
}
all_idle() {
    local name
    for name in "${nodes[@]}"; do node_idle "$name" || return 1; done
}

start_slurmdbd() {
    start slurmdbd slurmdbd -D
    wait_for 30 accounting_answers || die "slurmdbd does not answer: see $dir/log/slurmdbd.log"
}
start_slurmctld() {
    start slurmctld slurmctld -D
    wait_for 30 controller_answers || die "slurmctld does not answer: see $dir/log/slurmctld.log"
}
start_slurmd() { start "slurmd-$1" slurmd -D -N "$1"; }

# getaddrinfo as SLURM calls it finds no IPv4 address at all on a machine whose only one is 127.0.0.1.
# Another of loopback is enough; it stays, for somebody else may rely on it by the time we go.
second_address() {
    ip -4 -o addr show | grep -qv 'inet 127\.0\.0\.1/' ||
        ip addr add 127.0.1.1/8 dev lo || die "a second address is needed: ip addr add 127.0.1.1/8 dev lo"
}

# What mariadb-install-db would do, without its need for more packages and for a host name that resolves.
# Only root, known by the socket, may enter.
system_tables() {
    local folder=/usr/share/mariadb
    [[ -d $folder ]] || folder=/usr/share/mysql
    printf 'CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = "%s";\n' "$(id -un)"
    cat "$folder"/{mysql,mariadb}_system_tables{,_data}.sql 2>/dev/null || true
}

up() {
    local program
    if all_alive && [[ -n $run ]] && controller_answers; then
        say "is up already in $dir"
        return
    fi
    for program in munged mariadbd slurmdbd slurmctld slurmd ss ip; do
        command -v "$program" >/dev/null ||
            die "there is no $program: apt-get install --no-install-recommends slurm-wlm slurmdbd mariadb-server-core munge iproute2"
    done
    # In slurm.conf there are no quotes, and % and [] mean something in its paths.
    [[ $dir =~ ^[A-Za-z0-9_./+@~-]+$ ]] || die "SLURM cannot use the path $dir: no blanks or signs, please"
    # What an earlier one left, however it ended; and a test begins with a history of its own.
    down
    forget
    mkdir -p "$dir"/{etc,state,dev,log,pid}
    # A socket's path has at most 107 characters: not below a build directory.
    run=$(mktemp -d /tmp/slurm.XXXXXX)
    chmod 755 "$run"
    printf '%s\n' "$run" >"$dir/run"
    second_address
    configure

    (umask 077 && head -c 128 /dev/urandom >"$dir/etc/munge.key")
    start munged munged --foreground --force --key-file="$dir/etc/munge.key" --socket="$run/munge" \
        --pid-file="$run/munged.pid" --seed-file="$dir/state/munge.seed" --log-file="$dir/log/munged.log" --num-threads=2
    local mariadb=(--no-defaults "--user=$(id -un)" "--datadir=$dir/mysql" --innodb-log-file-size=8M
        --innodb-buffer-pool-size=16M --innodb-flush-log-at-trx-commit=0 --performance-schema=0)
    mkdir "$dir/mysql"
    system_tables | mariadbd "${mariadb[@]}" --bootstrap >"$dir/log/mariadb-bootstrap.out" 2>&1 ||
        die "MariaDB does not make its tables: see $dir/log/mariadb-bootstrap.out"
    start mariadbd mariadbd "${mariadb[@]}" --skip-networking --socket="$run/mysql" --pid-file="$run/mariadbd.pid" \
        --innodb-lock-wait-timeout=900
    wait_for 30 mariadb_answers || die "MariaDB does not start: see $dir/log/mariadbd.out"
    wait_for 30 munge_answers || die "munged does not answer: see $dir/log/munged.log"
    start_slurmdbd
    local name
    for name in "${nodes[@]}"; do
        mkdir -p "$run/$name"
        start_slurmd "$name"
    done
    start_slurmctld
    wait_for 30 all_idle || { sinfo >&2 || true; die "not all nodes are idle: see $dir/log"; }
    say "is up in $dir"
}

down() {
    local name
    # First who could start something, last what the others write to.
    for name in slurmctld "${nodes[@]/#/slurmd-}"; do stop "$name"; done
    for name in slurmdbd mariadbd munged; do stop "$name"; done
    wait_for 10 kill_processes || die "some processes do not end: $(cluster_processes | tr '\n' ' ')"
    if [[ $run == /tmp/slurm.?????? ]]; then rm -rf "$run"; fi
    rm -rf "$dir/pid" "$dir/run" "$dir/env.sh"
    run=
}

forget() { rm -rf "${dir:?}"/{etc,state,mysql,dev,log}; }

status() {
    local name pid all=0
    for name in $(daemons); do
        if pid=$(pid_of "$name"); then
            say "$name: process $pid, $(awk '$1 == "State:" {print $3}' "/proc/$pid/status")"
        else
            say "$name: does not run"
            all=1
        fi
    done
    timeout 12 sinfo -N -o '%N %P %t %c %m %G' || all=1
    return "$all"
}

# --- self-test -----------------------------------------------------------------------------------

failures=0
check() {  # WHAT EXPECTED ACTUAL
    if [[ $2 == "$3" ]]; then say "ok: $1"; else say "failed: $1: expected '$2', found '$3'"; failures=1; fi
}

# sacct lags behind by a few tenths of a second, and shows an array's elements one by one.
accounts() { sacct -n -P -X -j "$1" -o State,ExitCode | sort | uniq -c | awk '{$1 = $1; print}'; }
accounts_are() { [[ $(accounts "$1") == "$2" ]]; }
check_accounts() {  # WHAT SECONDS JOB EXPECTED
    wait_for "$2" accounts_are "$3" "$4" || true
    check "$1" "$4" "$(accounts "$3")"
}
batch() { sbatch --parsable --output=/dev/null --time=2 "$@"; }
field() { squeue -h -j "$1" -o "$2" 2>/dev/null || true; }
is_state() { [[ $(field "$1" %T) == "$2" ]]; }

self_test() {
    local job low high file=$dir/self-test.out
    job=$(batch --wrap true)
    check_accounts "a job that succeeds" 30 "$job" "1 COMPLETED|0:0"
    job=$(batch --wrap 'exit 3')
    check_accounts "a job that fails" 30 "$job" "1 FAILED|3:0"
    job=$(batch --array=0-19 --wrap true)
    check_accounts "an array of 20" 60 "$job" "20 COMPLETED|0:0"
    job=$(batch --gpus=1 --nodelist=n2 --output="$file" --wrap "echo \$SLURMD_NODENAME \${CUDA_VISIBLE_DEVICES:-none}")
    check_accounts "a job with a GPU" 30 "$job" "1 COMPLETED|0:0"
    check "its node and its GPU" "n2 0" "$(cat "$file")"
    rm -f "$file"
    job=$(batch --wrap 'srun true')
    check_accounts "a job with a step" 30 "$job" "1 COMPLETED|0:0"
    job=$(batch --wrap 'exec sleep 300')
    wait_for 20 is_state "$job" RUNNING || true
    check "squeue shows a running job" RUNNING "$(field "$job" %T)"
    scancel "$job"
    check_accounts "a job that is cancelled" 30 "$job" "1 CANCELLED by $EUID|0:0"
    low=$(batch --nodelist=n1 --exclusive --requeue --wrap 'exec sleep 300')
    wait_for 20 is_state "$low" RUNNING || true
    high=$(batch --partition=high --nodelist=n1 --exclusive --wrap 'exec sleep 300')
    wait_for 20 is_state "$high" RUNNING || true
    check "a job of the partition high takes the place of one of main" "RUNNING PENDING" "$(field "$high" %T) $(field "$low" %T)"
    scancel "$high"
    wait_for 60 is_state "$low" RUNNING || true
    check "which runs again afterwards" RUNNING "$(field "$low" %T)"
    scancel "$low"
    job=$(batch --wrap 'exec sleep 300')
    wait_for 20 is_state "$job" RUNNING || true
    # The controller looks at time limits every 30 s.
    scontrol update "jobid=$job" timelimit=0
    check_accounts "a job over its time limit" 60 "$job" "1 TIMEOUT|0:0"
    return "$failures"
}

# --- commands ------------------------------------------------------------------------------------

(($# >= 2)) || { sed -n '3,/^set /{/^set /d;s/^# \?//;p}' "$0" >&2; exit 2; }
((EUID == 0)) || die "only root can run jobs as root and start all of this"
command=$1
if [[ $command == up ]]; then
    mkdir -p "$2"
    # We remove things in there: so it was empty once.
    [[ -e $2/.slurm_cluster || -z $(ls -A "$2") ]] || die "$2 is not empty, and not a cluster's"
    touch "$2/.slurm_cluster"
fi
[[ -e $2/.slurm_cluster ]] || die "there is no cluster in $2"
dir=$(readlink -f "$2")
node=${3:-}
run=$(cat "$dir/run" 2>/dev/null || true)
# What the caller's environment says of another SLURM must not reach our clients.
while read -r variable; do unset "$variable"; done < <(compgen -e | grep -E '^(SLURM|SBATCH|SQUEUE|SINFO|SACCT|SCANCEL)_' || true)
export SLURM_CONF=$dir/etc/slurm.conf

case $command in
    up | down)
        exec {lock}>"$dir/.slurm_cluster"
        flock -w 100 "$lock" || die "another cluster.sh is at work in $dir"
        ;;
    *-node)
        [[ " ${nodes[*]} " == *" $node "* ]] || die "there is no node '$node'"
        ;;
esac
case $command in
    up | status) "$command" ;;
    down)
        [[ -z $node || $node == --purge ]] || die "what is '$node'?"
        down
        if [[ $node == --purge ]]; then
            forget
            rm "$dir/.slurm_cluster"
            rmdir "$dir" || true
        fi
        say "is down in $dir"
        ;;
    self-test) self_test ;;
    kill-node)
        send KILL "slurmd-$node"
        wait_for 5 dead "slurmd-$node"
        rm -f "$dir/pid/slurmd-$node"
        ;;
    crash-node)
        wait_for 10 kill_processes "$node" || die "some processes of $node do not end"
        rm -f "$dir/pid/slurmd-$node"
        ;;
    start-node)
        alive "slurmd-$node" || start_slurmd "$node"
        wait_for 30 node_answers "$node" || die "$node is $(node_state "$node")"
        ;;
    down-node) scontrol update "nodename=$node" state=down reason="cluster.sh $command" ;;
    resume-node)
        # SLURM refuses this for a node that works.
        node_works "$node" || scontrol update "nodename=$node" state=resume
        wait_for 30 node_works "$node" || die "$node is $(node_state "$node")"
        ;;
    stop-controller) stop slurmctld ;;
    start-controller)
        if dead slurmctld; then
            start_slurmctld
            wait_for 30 nodes_known || die "some nodes do not report: $(sinfo -h -N -p main)"
        fi
        ;;
    hang-controller) send STOP slurmctld ;;
    continue-controller)
        send CONT slurmctld
        wait_for 30 controller_answers || die "slurmctld does not answer: see $dir/log/slurmctld.log"
        ;;
    stop-accounting) stop slurmdbd ;;
    start-accounting) if dead slurmdbd; then start_slurmdbd; fi ;;
    *) die "there is no command '$command'" ;;
esac
