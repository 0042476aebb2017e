#!/bin/sh
# Makes the trajectories that compare.py reads, with GROMACS: alanine dipeptide in water, 1,801 atoms.
#
#   bench/trajectory/make_data.sh DIRECTORY
#
# Leaves there long.xtc (50,001 frames, every step), full.trr (2,501 frames with positions and
# velocities) and system.tpr, system.gro. What is there already is not made again.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
example=$here/../../examples/alanine_dipeptide
out=${1:?usage: make_data.sh DIRECTORY}
threads=${THREADS:-2}
GMX_MAXBACKUP=-1
export GMX_MAXBACKUP

THREADS=$threads "$example/prepare.sh" "$out/system"

# simulate NAME SETTINGS...: one run of md.mdp with other settings
simulate() {
    name=$1
    shift
    [ -s "$out/$name.done" ] && return
    sed '/^\(nsteps\|nstxout\|nstvout\|nstxout-compressed\|nstenergy\|nstlog\|ld-seed\) /d' \
        "$example/md.mdp" >"$out/$name.mdp"
    printf '%s\n' nstenergy=5000 nstlog=5000 ld-seed=1 "$@" >>"$out/$name.mdp"
    gmx -quiet grompp -f "$out/$name.mdp" -c "$out/system/start.gro" -p "$out/system/topol.top" \
        -o "$out/$name.tpr" -po "$out/$name.out.mdp" >"$out/$name.log" 2>&1
    gmx -quiet mdrun -deffnm "$out/$name" -ntmpi 1 -ntomp "$threads" >>"$out/$name.log" 2>&1
    echo done >"$out/$name.done"
}

simulate long nsteps=50000 nstxout-compressed=1
simulate full nsteps=25000 nstxout=10 nstvout=10 nstxout-compressed=0
ls -l "$out"/long.xtc "$out"/full.trr
