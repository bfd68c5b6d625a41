#!/bin/sh
# Installs what is missing of the distribution's packages; says so, and does nothing when all is there.
#
#   asterisk/get-packages.sh ffmpeg sip-tester:sipp …     PACKAGE or PACKAGE:WHAT
#
# WHAT is a command; where it is on the machine already, from whatever source, the package is not needed.
# Without WHAT the command is the package's name; a WHAT that dpkg knows as a package counts too.
set -eu

missing=
for each in "$@"; do
    package=${each%%:*}
    what=${each##*:}
    command -v "$what" >/dev/null 2>&1 && continue
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] || { echo "setup: these packages are missing:$missing. As root: apt-get install$missing" >&2; exit 1; }
echo "setup: installing$missing"
apt-get update -q >/dev/null
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
