#!/bin/sh
# Builds the solvated and equilibrated alanine dipeptide with GROMACS.
#
#   ./prepare.sh [OUTPUT_DIRECTORY]      (default: ./system)
#
# Environment: GMX      the GROMACS program (default: gmx)
#              THREADS  OpenMP threads for mdrun (default: 2)
#
# Leaves topol.top, posre.itp, start.gro and prepare.log in the output
# directory. start.gro is put there last: if it exists, the preparation is
# complete.
set -eu

GMX=${GMX:-gmx}
THREADS=${THREADS:-2}
GMX_MAXBACKUP=-1
export GMX_MAXBACKUP
case $GMX in /*) ;; */*) GMX=$PWD/$GMX ;; esac

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:-./system}
case $out in /*) ;; *) out=./$out ;; esac
mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd)
log=$out/prepare.log

# Nothing to do when start.gro is newer than everything it is made from.
if [ -s "$out/start.gro" ] && [ -s "$out/topol.top" ] && [ -s "$out/posre.itp" ]; then
    newer=$(find "$here/prepare.sh" "$here/alanine_dipeptide.pdb" \
        "$here/minimise.mdp" "$here/equilibrate.mdp" -newer "$out/start.gro")
    if [ -z "$newer" ]; then
        echo "start.gro is up to date in $out, nothing to do"
        exit 0
    fi
fi

work=$(mktemp -d "$out/build.XXXXXX")
child=
clean_up() {
    trap '' HUP INT TERM
    if [ -n "$child" ]; then
        kill "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    cd "$here"
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# run ARGUMENTS: one gmx command, its output goes to the log. It runs in the
# background so that a signal to this script ends it at once.
input=/dev/null
run() {
    printf '\n=== gmx %s\n' "$*" >>"$log"
    "$GMX" "$@" <"$input" >"$work/stdout" 2>"$work/stderr" &
    child=$!
    status=0
    wait "$child" || status=$?
    child=
    # Errors last: gmx writes them to stderr.
    cat "$work/stdout" "$work/stderr" >>"$log"
    if [ "$status" -ne 0 ]; then
        {
            echo "failed (status $status): $GMX $*"
            echo "last lines of $log:"
            tail -n 15 "$log"
        } >&2
        exit 1
    fi
}

cp "$here/alanine_dipeptide.pdb" "$here/minimise.mdp" "$here/equilibrate.mdp" "$work"
cd "$work"
: >"$log"

# Builds with their own small MPI library must be told to use one rank.
run --version
ranks=
if grep -q 'MPI library:.*thread_mpi' "$log"; then
    ranks='-ntmpi 1'
fi

echo "1/5 topology"
run pdb2gmx -f alanine_dipeptide.pdb -o peptide.gro -p topol.top -i posre.itp \
    -ff amber99sb-ildn -water tip3p -posrefc 10000

echo "2/5 box and water"
run editconf -f peptide.gro -o box.gro -bt cubic -box 2.65 -c
run solvate -cp box.gro -cs spc216.gro -p topol.top -o solvated.gro

echo "3/5 energy minimisation"
run grompp -f minimise.mdp -c solvated.gro -p topol.top \
    -o minimise.tpr -po minimise_out.mdp
# shellcheck disable=SC2086
run mdrun -deffnm minimise $ranks -ntomp "$THREADS" -reprod

echo "4/5 equilibration at 300 K and 1 bar"
run grompp -f equilibrate.mdp -c minimise.gro -r solvated.gro -p topol.top \
    -o equilibrate.tpr -po equilibrate_out.mdp
# shellcheck disable=SC2086
run mdrun -deffnm equilibrate $ranks -ntomp "$THREADS" -reprod

echo "5/5 start frame: peptide in the middle, molecules whole"
printf 'Protein\nSystem\n' >groups
input=groups
run trjconv -f equilibrate.gro -s equilibrate.tpr -o start.gro -pbc mol -center

[ -s start.gro ] || { echo "failed: no start.gro was made, see $log" >&2; exit 1; }
rm -f "$out/start.gro"
mv -f topol.top posre.itp "$out/"
mv -f start.gro "$out/start.gro"
echo "done: $out/start.gro"
