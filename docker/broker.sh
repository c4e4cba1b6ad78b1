#!/bin/sh
# Mosquitto wants passwords hashed, in a file of its own.
set -eu
umask 077
cp /run/secrets/users /mosquitto/data/users
mosquitto_passwd -U /mosquitto/data/users
exec mosquitto -c /mosquitto/config/mosquitto.conf
