#!/bin/sh
# Makes every secret that is not there yet, each in the volume of those who may read it. Nothing is printed.
set -eu
umask 022
folder=${1:-/secrets}

random() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# once FILE VALUE: write a file, whole or not at all, unless it is there
once() {
    [ -s "$1" ] && return 0
    printf '%s\n' "$2" >"$1.new"
    mv "$1.new" "$1"
}

once "$folder/sagittal/broker_password" "$(random)"
once "$folder/broker/users" "sagittal:$(cat "$folder/sagittal/broker_password")"
once "$folder/influx/admin_password" "$(random)"
once "$folder/influx/admin_token" "$(random)"
once "$folder/grafana/admin_password" "$(random)"
