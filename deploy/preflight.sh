#!/bin/sh
# Tells in one message everything this machine lacks, with the line to type; as root on Debian it installs it.
# usage: preflight.sh basic|all     basic: for the demo and the quick tests     all: for the other tests too
# Exit 0: all is there; 2: something is missing. Shell, because a script in Python cannot miss Python.
# make calls it and adds /usr/sbin, where Debian keeps mosquitto, to the PATH.
set -eu

PYTHON=${PYTHON:-python3}
POLICY=/usr/sbin/policy-rc.d
level=${1:-basic}
case $level in basic | all) ;; *) echo "usage: preflight.sh basic|all" >&2; exit 2 ;; esac

missing=''  # lines for people
packages='' # Debian's names

lack() { # package, why
    missing="$missing  $1: $2
"
    packages="${packages:+$packages }$1"
}

need() { # command, why; the Debian package has the same name
    command -v "$1" >/dev/null || lack "$1" "$2"
}

look_for_python() {
    if ! command -v "$PYTHON" >/dev/null; then
        lack python3 "Python 3.11 or newer ($PYTHON was not found)"
        lack python3-venv "lets Python make an environment of its own"
        return
    fi
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        lack python3 "3.11 or newer ($PYTHON is older; name another one with: make PYTHON=python3.11 ...)"
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
        lack python3-venv "lets Python make an environment of its own"
}

look() {
    missing='' packages=''
    look_for_python
    need make "runs the commands of the README"
    if [ "$level" = all ]; then
        need git "a test reads the list of committed files"
        need mosquitto "the MQTT broker that tests start, each on a port of its own"
        need strace "records disk writes for the power-cut test"
    fi
}

includes() { case " $packages " in *" $1 "*) true ;; *) false ;; esac; }

tell_and_leave() {
    line="apt-get update && apt-get install -y --no-install-recommends $packages"
    ! includes mosquitto || line="$line && systemctl disable --now mosquitto"
    if command -v sudo >/dev/null; then line="sudo sh -c '$line'"; else line="su - -c '$line'"; fi
    printf 'Kentongan needs what this machine does not have (names of Debian packages):\n%s' "$missing" >&2
    printf 'Type this, then try again:\n  %s\n' "$line" >&2
    exit 2
}

forbid_services() { # Debian starts a service as soon as it is installed, unless this file says no
    [ ! -e "$POLICY" ] || return 0
    trap 'rm -f "$POLICY"' EXIT
    trap 'exit 130' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
}

quietly() { # what apt says is shown only when it fails
    said=$("$@" </dev/null 2>&1) || { printf '%s\npreflight: failed: %s\n' "$said" "$*" >&2; return 1; }
}

retire_mosquitto() { # with systemd or without; only ever called for a mosquitto that we have just installed
    service mosquitto stop >/dev/null 2>&1 || :
    deb-systemd-helper disable mosquitto.service >/dev/null 2>&1 || :
    update-rc.d mosquitto disable >/dev/null 2>&1 || :
    echo "preflight: mosquitto is installed, not enabled as a service; tests start their own."
}

install() {
    export DEBIAN_FRONTEND=noninteractive
    echo "preflight: running as root, so installing with apt-get: $packages"
    forbid_services
    quietly apt-get -qq update || :
    # shellcheck disable=SC2086  # a list of names
    quietly apt-get -qq install -y --no-install-recommends -o DPkg::Lock::Timeout=120 $packages || :
    ! { includes mosquitto && command -v mosquitto >/dev/null; } || retire_mosquitto
}

look
[ -n "$packages" ] || exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    install
    look
fi
[ -z "$packages" ] || tell_and_leave
