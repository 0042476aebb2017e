#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# install_test.sh SOURCE BUILD WORK STAND_IN
# Installs coromd to a fresh prefix, builds the example outside the tree with find_package(coromd), as
# a user would, and runs it with the stand-in for gmx.
set -eu
source=$1 build=$2 work=$3 stand_in=$4

rm -rf "$work"
mkdir -p "$work"
cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
cp -r "$source/examples/alanine_until_state" "$work/example"
cache=
if command -v ccache >/dev/null; then cache=-DCMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
cmake -S "$work/example" -B "$work/example/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Debug $cache
cmake --build "$work/example/build"

"$work/prefix/bin/coromd" --version

# What the example wants of alanine dipeptide: atoms 4 to 16, of which the stand-in turns the last.
mkdir -p "$work/alanine/system"
{
    echo "seventeen atoms"
    echo "   17"
    i=1
    while [ $i -le 17 ]; do
        case $i in
            5) xyz="   1.000   1.000   0.000" ;;
            7) xyz="   1.000   0.000   0.000" ;;
            9) xyz="   0.000   0.000   0.000" ;;
            15) xyz="   0.000   0.000   1.000" ;;
            17) xyz="   0.200   1.000   1.000" ;;
            *) xyz="   2.000   2.000   2.000" ;;
        esac
        printf '    1ALA      C%5d%s\n' $i "$xyz"
        i=$((i + 1))
    done
    echo "   9.00000   9.00000   9.00000"
} >"$work/alanine/system/start.gro"
echo "[ system ]" >"$work/alanine/system/topol.top"
printf 'integrator = md\ndt = 0.002\nnstxout-compressed = 20\n' >"$work/alanine/md.mdp"

cd "$work"
PATH=$stand_in:$PATH ./example/build/alanine_until_state alanine >example.out
cat example.out
[ "$(grep -c 'until.xtc' example.out)" -eq 8 ]
grep -q 'C7eq was first in . of 8' example.out
