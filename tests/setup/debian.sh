#!/bin/sh
# The README's two commands on a fresh Debian: debian.sh RELEASE, as root; `make check-debian` calls it.
#
# debootstrap makes the release in a temporary directory, with what every Debian has and no more. The tree's last commit is
# cloned into it, and `./daa run` and `./daa test` run there; at the end it says what each downloaded and took. The packages
# stay in build/debian for the next time; the system goes, unless KEEP=1.
#
# Nothing in there reaches this machine: its mounts are in a name space of their own, which ends with its last process, and
# its /dev holds nodes that debootstrap made.
set -eu

fail() {
    echo "check-debian: $*" >&2
    exit 1
}

# ---- on this machine ----

leave() {
    if [ -n "${KEEP-}" ]; then echo "check-debian: $system is kept" >&2; else rm -rf --one-file-system "$system"; fi
}

outside() {
    release=${1-}
    case $release in
    bookworm | trixie) ;;
    *)
        echo "check-debian: RELEASE is '$release'; it must be bookworm or trixie" >&2
        exit 2
        ;;
    esac
    [ "$(id -u)" -eq 0 ] || fail "only root can make another system; call it as root"
    cd "$(dirname "$0")/../.."
    mirror=$(./daa --mirror)
    place=$PWD/build/debian
    mkdir -p "$place"
    exec 9>"$place/$release.lock"
    flock -n 9 || fail "$release is being checked already"
    system=$(mktemp -d "${TMPDIR:-/tmp}/daa-$release.XXXXXX")
    trap leave EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    chmod 755 "$system"
    git clone -q --no-hardlinks . "$system/home/daa/tree"
    unshare --mount --pid --fork --kill-child --propagation private \
        sh "$PWD/tests/setup/debian.sh" inside "$system" "$place/packages-$release" "$release" "$mirror" 9>&-
}

# ---- in name spaces of its own ----

# Makes the system, and mounts what a running one has.
make_system() {
    mkdir -p "$packages/archives/partial" "$packages/base"
    echo "check-debian: making $release" >&2
    debootstrap --variant=minbase --cache-dir="$packages/base" "$release" "$system" "$mirror" >"$packages/log" ||
        fail "debootstrap failed; $packages/log says why"
    mount -t proc -o nosuid,nodev,noexec proc "$system/proc"
    mount -t tmpfs -o nosuid,nodev shm "$system/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$system/dev/pts"
    mount --bind "$packages/archives" "$system/var/cache/apt/archives"
    rm -rf "$system/var/lib/apt/lists"
    apt-config dump | grep '^Acquire::.*Proxy' >"$system/etc/apt/apt.conf.d/proxy" || true
    within root useradd --home-dir /home/daa daa
    within root chown -R daa: /home/daa
}

# Runs a command in the system's tree as USER.
within() {
    user=$1
    shift
    chroot --userspec="$user" "$system" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME="$([ "$user" = root ] && echo /root || echo /home/daa)" TERM=dumb sh -c 'cd /home/daa/tree && exec "$@"' sh "$@"
}

# The installed packages, with their versions.
installed() {
    within root dpkg-query -W -f '${binary:Package}=${Version}\n' | sort
}

# Sets `processor`, the seconds of processor time of all commands so far: this shell's own, not those of a shell in $().
read_processor() {
    times >"$system/times"
    processor=$(tail -n 1 "$system/times" | awk -F '[ms ]+' '{ print int(60 * $1 + $2 + 60 * $3 + $4) }')
}

# Runs a command of the README as root and says what it cost.
measure() {
    installed >"$system/before"
    start=$(date +%s)
    read_processor
    spent=$processor
    echo "check-debian: $release: $*" >&2
    within root "$@" >&2 || fail "$* failed on $release"
    seconds=$(($(date +%s) - start))
    read_processor
    spent=$((processor - spent))
    installed | comm -13 "$system/before" - >"$system/added"
    # As many words as packages; without any there is no answer.
    # shellcheck disable=SC2046
    megabytes=$(within root apt-cache show --no-all-versions $(cat "$system/added") 2>/dev/null |
        awk '/^Size: / { sum += $2 } END { print int(sum / 1e6 + 0.5) }')
    printf '%s: %s: %d packages, %d MB to download; %d min, %d of processor time\n' "$release" "$*" \
        "$(wc -l <"$system/added")" "$megabytes" $(((seconds + 30) / 60)) $(((spent + 30) / 60)) >>"$system/costs"
}

# Who is not root gets one line, which is the command that helps.
refused() {
    if said=$(within daa ./daa run 2>&1); then fail "./daa run needs packages on a fresh $release, and did not say so"; fi
    echo "$said" | grep -q '^daa: missing packages; install them by: sudo apt-get install -y [a-z0-9+. -]*$' &&
        [ "$(echo "$said" | wc -l)" -eq 1 ] || fail "who is not root is told: $said"
}

inside() {
    system=$1 packages=$2 release=$3 mirror=$4
    make_system
    refused
    measure ./daa run
    measure ./daa test
    within root rm -rf build
    within root chown -R daa: .
    echo "check-debian: $release: ./daa run, not as root" >&2
    within daa ./daa run CONFIG=tiny STEPS=2 TEST=100 >&2 || fail "./daa run fails on $release for who is not root"
    cat "$system/costs"
}

case ${1-} in
inside)
    shift
    inside "$@"
    ;;
*) outside "$@" ;;
esac
