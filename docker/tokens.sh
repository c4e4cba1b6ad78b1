#!/bin/sh
# Makes InfluxDB's buckets and one token a role, and hands each token to who needs it.
set -eu
umask 022
folder=${1:-/secrets}

sagittal sink init --admin-token-file "$folder/influx/admin_token" --token-dir "$folder/influx/tokens"
for pair in worker:sagittal/influx_token grafana:grafana/influx_token; do
    target=$folder/${pair#*:}
    cat "$folder/influx/tokens/${pair%%:*}.token" >"$target.new"
    mv "$target.new" "$target"
done
