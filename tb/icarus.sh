#!/bin/sh
# The same GEMM in Icarus: DIR A.npy B.npy C0.npy|'' STALL SEED. Called by `make icarus`.
set -eu
dir=$1 a=$2 b=$3 c0=$4 stall=$5 seed=$6
here=$(dirname "$0")
build=${BUILD:-build}

fail() {
    echo "make icarus: $1" >&2
    exit "${2:-1}"
}

[ -n "$a" ] && [ -n "$b" ] || fail "A or B is not set; make icarus DIR=DIR A=A.npy B=B.npy [C0=C0.npy] [STALL=P] [SEED=N]" 2
case $stall in 0 | 0.[0-9]*) ;; *) fail "STALL is '$stall'; it must be at least 0 and less than 1" 2 ;; esac
case $seed in '' | *[!0-9]*) fail "SEED is '$seed'; it must be a whole number" 2 ;; esac
command -v iverilog >/dev/null || fail "there is no iverilog; ./daa --need test installs it"
words=$(mktemp -d "$dir/icarus.XXXXXX") || fail "$dir cannot be written; DIR must be a directory that can"
trap 'rm -rf "$words"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

set -- --config "$dir/daa.json" --a "$a" --b "$b" ${c0:+--c "$c0"}
rows=$("$build/daavec" "$@" --write "$words")
sed "s|^|$dir/|" "$dir/daa.f" >"$words/files"
iverilog -g2005 "-I$dir" -s icarus -o "$words/icarus.vvp" -c "$words/files" "$here/icarus.v"
said=$(vvp -n "$words/icarus.vvp" "+words=$words" "+rows=$rows" "+stall=$stall" "+seed=$seed")
[ -z "$said" ] || fail "FAIL: $said"
verdict=$("$build/daavec" "$@" --check "$words" 2>&1) || fail "FAIL: ${verdict#daavec: }"
echo "make icarus: PASS: $verdict"
