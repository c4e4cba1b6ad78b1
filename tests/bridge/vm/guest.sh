#!/bin/sh
# Runs first in the guest of scripts/bluez.sh: a bus, the virtual adapter's driver, bluetoothd, and then the scenarios.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PYTHONPATH=/code:/site PYTHONDONTWRITEBYTECODE=1
mount -t tmpfs tmpfs /run && mkdir -p /run/dbus /dev/pts /dev/shm
mount -t devpts devpts /dev/pts && mount -t tmpfs tmpfs /dev/shm && mount -t tmpfs tmpfs /tmp
ip link set lo up
dbus-uuidgen --ensure
modprobe hci_vhci
echo "kernel $(uname -r), BlueZ $(/usr/libexec/bluetooth/bluetoothd -v), up after $(cut -d' ' -f1 /proc/uptime) s"
cd /code && python3 -m tests.bridge.vm.scenarios </dev/null 2>&1
sync
echo o >/proc/sysrq-trigger
sleep 5
