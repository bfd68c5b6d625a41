#!/bin/sh
# Gets an Asterisk for Leaseline without touching what is already on the machine.
#
#   asterisk/get-asterisk.sh DIR     prints the path of the program to run
#
# 1. An Asterisk 20 or newer that is already installed is used as it is.
# 2. Otherwise the distribution's own package, where it has one that is new enough.
# 3. Otherwise a private copy from Debian testing, unpacked into DIR. It runs through its own
#    loader, so it shares no library with the system and leaves no trace outside DIR.
#
# The mirror is the one apt already uses here; nothing is fetched from anywhere else.
set -eu

dir=${1:?usage: get-asterisk.sh DIR}
oldest=20
say() { echo "get-asterisk: $*" >&2; }

major_of() { "$1" -V 2>/dev/null | sed -n 's/^Asterisk \([0-9][0-9]*\)\..*/\1/p'; }

use_if_new_enough() {
    found=$(command -v "$1" || true)
    [ -n "$found" ] || return 1
    major=$(major_of "$found")
    [ -n "$major" ] && [ "$major" -ge "$oldest" ] || return 1
    echo "$found"
}

# 1. On the machine.
if [ -z "${LEASELINE_PRIVATE_ASTERISK:-}" ]; then
    if use_if_new_enough asterisk; then exit 0; fi
fi
if [ -x "$dir/bin/asterisk" ] && [ -n "$(major_of "$dir/bin/asterisk")" ]; then
    echo "$dir/bin/asterisk"
    exit 0
fi

[ "$(id -u)" = 0 ] || { say "no Asterisk $oldest or newer here, and only root can install one: run 'sudo make asterisk' once"; exit 1; }

# 2. The distribution's package.
candidate=$(apt-cache policy asterisk 2>/dev/null | sed -n 's/^ *Candidate: \([0-9]*:\)\{0,1\}\([0-9][0-9]*\)\..*/\2/p')
if [ -z "${LEASELINE_PRIVATE_ASTERISK:-}" ] && [ -n "$candidate" ] && [ "$candidate" -ge "$oldest" ]; then
    say "installing the distribution's Asterisk $candidate"
    # The package starts a service of its own on port 5060; we run ours under our own supervisor.
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d.leaseline
    chmod +x /usr/sbin/policy-rc.d.leaseline
    [ -e /usr/sbin/policy-rc.d ] || ln -s policy-rc.d.leaseline /usr/sbin/policy-rc.d
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends asterisk >&2
    [ "$(readlink /usr/sbin/policy-rc.d)" = policy-rc.d.leaseline ] && rm -f /usr/sbin/policy-rc.d
    rm -f /usr/sbin/policy-rc.d.leaseline
    use_if_new_enough asterisk && exit 0
fi

# 3. A private copy.
case $(dpkg --print-architecture) in
    amd64) triplet=x86_64-linux-gnu; loader=ld-linux-x86-64.so.2 ;;
    arm64) triplet=aarch64-linux-gnu; loader=ld-linux-aarch64.so.1 ;;
    *) say "no recipe for this processor: install Asterisk $oldest or newer by hand"; exit 1 ;;
esac
command -v mmdebstrap >/dev/null || {
    say "installing mmdebstrap"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends mmdebstrap >&2
}
mirror=$(apt-get indextargets --format '$(REPO_URI)|$(ORIGIN)|$(COMPONENT)|$(CODENAME)' 'Created-By: Packages' |
    awk -F'|' '$2 == "Debian" && $3 == "main" && $4 !~ /security/ { print $1; exit }')
[ -n "$mirror" ] || { say "apt knows no Debian mirror here: install Asterisk $oldest or newer by hand"; exit 1; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || { say "the package debian-archive-keyring is missing: apt-get install debian-archive-keyring"; exit 1; }

root=$dir/root
for suite in forky sid; do
    say "unpacking a private Asterisk from Debian $suite into $dir (about 270 MB)"
    rm -rf "$root"
    mkdir -p "$dir"
    if mmdebstrap --quiet --variant=extract --include=asterisk \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        "$suite" "$root" "deb [signed-by=$keyring] $mirror $suite main" >&2; then
        break
    fi
    say "Debian $suite did not give one"
done
lib=usr/lib/$triplet
[ -x "$root/usr/sbin/asterisk" ] || { say "no private copy could be made: install Asterisk $oldest or newer by hand"; exit 1; }
mkdir -p "$dir/bin"
cat > "$dir/bin/asterisk" <<WRAPPER
#!/bin/sh
# Made by get-asterisk.sh: the private Asterisk with its own loader and libraries.
here=\$(cd "\$(dirname "\$0")/.." && pwd)
tree=\$here/root
exec "\$tree/$lib/$loader" --library-path "\$tree/$lib" "\$tree/usr/sbin/asterisk" "\$@"
WRAPPER
chmod +x "$dir/bin/asterisk"
[ -n "$(major_of "$dir/bin/asterisk")" ] || { say "the private copy in $dir does not start: remove it and try again"; exit 1; }
echo "$dir/bin/asterisk"
