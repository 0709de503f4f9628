"""The .npy reader on mutated files, under the sanitizers."""
import fcntl
import os


def test_npy_files(run, root, seed, tmp_path):
    program = root / "build/asan/fuzz-npy"
    program.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{program}.lock", "w") as lock:  # several workers, one make
        fcntl.flock(lock, fcntl.LOCK_EX)
        clean = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
        made = run("make", "-s", program.relative_to(root), env=clean)
    assert made.returncode == 0, made.stderr
    done = run(program, tmp_path / "mutated.npy", seed, 4000)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
