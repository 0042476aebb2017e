#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""Times coromd beside MDAnalysis and GROMACS, in one run and on the same files.

    bench/trajectory/make_data.sh DIRECTORY
    bench/trajectory/compare.py BUILD_DIRECTORY DIRECTORY [CASE...]

Needs MDAnalysis (python3-mdanalysis) and gmx. Every time is the best of
three, with all files in the page cache. The exit code is 1 where a ratio is below its target.
"""
import os
import random
import shutil
import struct
import subprocess
import sys
import time
import warnings

warnings.simplefilter("ignore")
import MDAnalysis as mda  # noqa: E402
import numpy as np  # noqa: E402
from MDAnalysis.coordinates.XTC import XTCReader  # noqa: E402
from MDAnalysis.lib.distances import calc_dihedrals  # noqa: E402

ROUNDS = 3
N_SMALL = 10_000


def warm(path):
    """Puts a file into the page cache as reading it from the disk does.

    What a simulation has just written is there in small pieces, which cost several times as much to map.
    """
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while file.read(1 << 24):
            pass


class Bench:
    def __init__(self, build, data):
        self.program = os.path.join(build, "bench", "trajectory_bench")
        self.coromd = os.path.join(build, "bin", "coromd")
        self.data = data
        self.xtc = os.path.join(data, "long.xtc")
        self.trr = os.path.join(data, "full.trr")
        self.structure = os.path.join(data, "system", "start.gro")
        self.small = os.path.join(data, "small")
        self.out = os.path.join(data, "out")
        self.missed = 0
        for path in (self.xtc, self.trr):
            warm(path)

    def ours(self, case, file, *arguments):
        """Seconds, best of all rounds, as the program measures them."""
        return min(self.ours_once(case, file, *arguments)[0] for _ in range(ROUNDS))

    def ours_once(self, case, file, *arguments):
        shutil.rmtree(self.out, ignore_errors=True)
        os.mkdir(self.out)
        done = subprocess.run([self.program, case, file, *arguments], check=True, capture_output=True, text=True)
        seconds, found = done.stdout.split()
        return float(seconds), float(found), done.stderr

    def best(self, action, rounds=ROUNDS):
        times = []
        for _ in range(rounds):
            shutil.rmtree(self.out, ignore_errors=True)
            os.mkdir(self.out)
            start = time.perf_counter()
            action()
            times.append(time.perf_counter() - start)
        return min(times)

    def command(self, *arguments):
        return self.best(lambda: subprocess.run(arguments, check=True, capture_output=True))

    def to(self, name):
        return os.path.join(self.out, name)

    def row(self, what, ours, peer_name, peer, target):
        ratio = peer / ours
        verdict = "" if ratio >= target else "  MISSED"
        self.missed += ratio < target
        print(f"{what:46} {1e3 * ours:10.2f} {peer_name:>22} {1e3 * peer:10.1f} {ratio:9.1f} {target:8g}{verdict}",
              flush=True)


def index(b):
    def read_metadata():
        reader = XTCReader(b.xtc, refresh_offsets=True)
        return reader.n_frames, reader[-1].time

    ours = b.ours("index", b.xtc)
    b.row("index and metadata", ours, "MDAnalysis", b.best(read_metadata), 8)
    b.row("index and metadata", ours, "hops, mmap", b.ours("hop_mmap", b.xtc), 0.5)
    b.row("index and metadata", ours, "hops, pread", b.ours("hop_pread", b.xtc), 0.5)
    script = ("import warnings; warnings.simplefilter('ignore'); import MDAnalysis; "
              f"u = MDAnalysis.Universe({b.structure!r}, {b.xtc!r}, refresh_offsets=True); "
              "print(len(u.trajectory), u.trajectory.dt, u.trajectory[-1].time)")
    b.row("the same as a process", b.command(b.coromd, "traj", "info", b.xtc), "MDAnalysis",
          b.command(sys.executable, "-c", script), 40)


def read(b):
    def read_all():
        for _ in universe.trajectory:
            pass

    universe = mda.Universe(b.structure, b.xtc)
    ours = b.ours("read", b.xtc)
    b.row("read all", ours, "MDAnalysis", b.best(read_all, 2), 3)
    b.row("read all", ours, "gmx check", b.command("gmx", "-quiet", "check", "-f", b.xtc), 1.5)
    b.row("read all, two threads", b.ours("read_parallel", b.xtc, "2"), "one thread", ours, 1.8)


def parts(b):
    universe = mda.Universe(b.structure, b.xtc)
    n = len(universe.trajectory)

    def psi_phi():
        values = np.empty((n, 2))
        for i, step in enumerate(universe.trajectory):
            x = step.positions
            values[i] = calc_dihedrals(x[[6, 4]], x[[8, 6]], x[[14, 8]], x[[16, 14]])

    def last_molecule():
        values = np.empty(n)
        for i, step in enumerate(universe.trajectory):
            x = step.positions
            values[i] = np.linalg.norm(x[-3] - x[-2])

    atoms = sorted(random.Random(1).sample(range(universe.atoms.n_atoms), 10))

    def some_atoms():
        values = np.empty(n)
        for i, step in enumerate(universe.trajectory):
            values[i] = step.positions[atoms, 0].mean()

    b.row("psi and phi, atoms 4 to 16", b.ours("psi_phi", b.xtc), "MDAnalysis", b.best(psi_phi, 1), 100)
    b.row("a bond of the last molecule", b.ours("last_molecule", b.xtc), "MDAnalysis", b.best(last_molecule, 1), 3)
    b.row("ten random atoms", b.ours("some_atoms", b.xtc, ",".join(map(str, atoms))), "MDAnalysis",
          b.best(some_atoms, 1), 3)


def concatenation(b):
    def forward():
        universe = mda.Universe(b.structure, b.xtc)
        with mda.Writer(b.to("mda.xtc"), n_atoms=universe.atoms.n_atoms) as writer:
            for _ in universe.trajectory:
                writer.write(universe.atoms)

    def backwards():
        universe = mda.Universe(b.structure, b.trr)
        with mda.Writer(b.to("mda.trr"), n_atoms=universe.atoms.n_atoms) as writer:
            for step in universe.trajectory[::-1]:
                step.velocities *= -1
                writer.write(universe.atoms)

    ours = b.ours("concatenate", b.xtc, b.to("coromd.xtc"))
    b.row("XTC to XTC, with fsync", ours, "MDAnalysis", b.best(forward, 1), 60)
    trjcat = b.command("gmx", "-quiet", "trjcat", "-f", b.xtc, "-o", b.to("gmx.xtc"))
    b.row("XTC to XTC, with fsync", ours, "gmx trjcat", trjcat, 1)
    b.row("TRR backwards, velocities inverted, fsync", b.ours("backwards", b.trr, b.to("coromd.trr")), "MDAnalysis",
          b.best(backwards), 15)


def random_frames(b):
    frames = [random.Random(2).randrange(50_001) for _ in range(100)]

    def each_opened():
        for i in frames:
            mda.Universe(b.structure, b.xtc).trajectory[i].positions.sum()

    def each_written():
        for n, i in enumerate(frames):
            universe = mda.Universe(b.structure, b.xtc)
            universe.trajectory[i]
            universe.atoms.write(b.to(f"{n}.trr"))

    b.row("100 random frames", b.ours("random_read", b.xtc), "MDAnalysis, each opened", b.best(each_opened, 1), 50)
    b.row("100 random frames to files, with fsync", b.ours("random_extract", b.xtc, b.out), "MDAnalysis",
          b.best(each_written, 1), 1)


def make_small(b):
    """Ten thousand files of five frames, without offset files."""
    if not os.path.isdir(b.small):
        os.mkdir(b.small)
        with open(b.xtc, "rb") as file:
            for i in range(N_SMALL):
                frames = b""
                for _ in range(5):
                    head = file.read(92)
                    size = (struct.unpack(">i", head[88:])[0] + 3) // 4 * 4
                    frames += head + file.read(size)
                with open(os.path.join(b.small, f"{i}.xtc"), "wb") as small:
                    small.write(frames)
    for name in os.listdir(b.small):
        if name.startswith("."):
            os.remove(os.path.join(b.small, name))


def small(b):
    make_small(b)
    b.ours_once("many_small", b.small)
    seconds, found, memory = b.ours_once("many_small", b.small)
    hidden = [name for name in os.listdir(b.small) if name.startswith(".")]
    assert found == 5 * N_SMALL
    some = sorted(os.listdir(b.small))[:500]

    def lengths():
        for name in some:
            len(mda.Universe(b.structure, os.path.join(b.small, name)).trajectory)

    b.row("a small trajectory opened, its length", seconds / N_SMALL, "MDAnalysis", b.best(lengths, 1) / len(some), 200)
    print(f"    memory: {memory.strip()}, hidden files: {len(hidden)}")
    b.missed += bool(hidden) + (int(memory.split()[0]) >= 2048)


def version(b):
    took = b.command(b.coromd, "--version")
    b.row("coromd --version", took, "10 ms", 0.010, 1)


CASES = [index, read, parts, concatenation, random_frames, small, version]


def main():
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    bench = Bench(sys.argv[1], sys.argv[2])
    wanted = sys.argv[3:] or [case.__name__ for case in CASES]
    print(f"{'':46} {'coromd ms':>10} {'peer':>22} {'ms':>10} {'ratio':>9} {'target':>8}")
    for case in CASES:
        if case.__name__ in wanted:
            case(bench)
    shutil.rmtree(bench.out, ignore_errors=True)
    return 1 if bench.missed else 0


if __name__ == "__main__":
    sys.exit(main())
