#!/bin/sh
# setup.sh PACKAGE...: installs those Debian packages that are missing; called by `make setup`, silent when all are
# there.
set -eu

fail() { echo "make setup: $*" >&2; exit 1; }

command -v dpkg-query >/dev/null 2>&1 ||
    fail "this is not Debian or a relative; install by other means what these packages hold: $*"
there=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^ii  *//p')
missing=
for package in "$@"; do
    case "
$there
" in *"
$package
"*) ;; *) missing="$missing $package" ;; esac
done
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || fail "as root, run: apt-get install$missing"
    root=sudo
fi
echo "make setup: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Recommended packages are left out: a desktop viewer of Yosys' drawings is not needed here.
install() {
    $root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" </dev/null >"$log" 2>&1
}
install update || { tail -n 5 "$log" >&2; echo "make setup: apt-get update failed; trying what is known" >&2; }
# shellcheck disable=SC2086  # one word per package
install install --no-install-recommends $missing || { tail -n 20 "$log" >&2; fail "apt-get install$missing failed"; }
