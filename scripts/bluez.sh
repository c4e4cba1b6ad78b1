#!/usr/bin/env bash
# The bridge against the real BlueZ, in a virtual machine: make test-bluez
#
# A Debian kernel with hci_vhci under QEMU, real dbus-daemon and bluetoothd, and a virtual wearable on an adapter of its
# own. Builds once into .bluez (some 400 MB; needs root for debootstrap), then runs tests/bridge/vm/scenarios.py inside.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=${PYTHON:-.venv/bin/python}
rig=$(realpath -m "${SAGITTAL_BLUEZ_DIR:-.bluez}")
release=bookworm # its Python, 3.11, loads the compiled parts of our environment

missing=()
for tool in debootstrap qemu-system-x86_64 cpio busybox depmod; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null 2>&1 || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "test-bluez needs ${missing[*]}: sudo apt-get install debootstrap qemu-system-x86 cpio busybox-static kmod" >&2
    exit 2
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
    echo "test-bluez needs an environment with Python 3.11, as the guest has: PYTHON=/path/to/python make test-bluez" >&2
    exit 2
fi

build() {
    [ "$(id -u)" = 0 ] || { echo "test-bluez builds its machine as root, once: sudo make test-bluez" >&2; exit 2; }
    mkdir -p "$rig" && cd "$rig"
    debootstrap --variant=minbase --include=bluez,dbus,python3,kmod,iproute2,procps,udev "$release" root >debootstrap.log
    package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
    apt-get download -qq "$package" && dpkg-deb -x linux-image-*.deb kernel && rm linux-image-*.deb
    version=$(ls kernel/lib/modules)
    mkdir -p "root/lib/modules/$version"
    cp kernel/lib/modules/"$version"/modules.* "root/lib/modules/$version/"
    for part in net/bluetooth drivers/bluetooth crypto arch/x86/crypto lib net/9p fs/9p fs/overlayfs fs/netfs fs/fscache \
        drivers/virtio drivers/char/hw_random net/rfkill drivers/hid; do
        if [ -d "kernel/lib/modules/$version/kernel/$part" ]; then
            (cd "kernel/lib/modules/$version" && find "kernel/$part" -name '*.ko*' |
                cpio -pdmu --quiet "$rig/root/lib/modules/$version")
        fi
    done
    chroot root /sbin/depmod "$version"

    mkdir -p start/bin start/dev start/proc start/sys start/low start/top start/new start/modules
    cp "$(command -v busybox)" start/bin/busybox
    : >start/order
    for module in virtio_pci 9pnet_virtio 9p overlay virtio_rng; do
        chroot root /sbin/modprobe -S "$version" --show-depends "$module" | awk '$1 == "insmod" { print $2 }' |
            while read -r path; do
                grep -qx "${path##*/}" start/order || { cp "root$path" start/modules/ && echo "${path##*/}" >>start/order; }
            done
    done
    cat >start/init <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done </order
options=trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro
mount -t 9p -o $options root /low
mount -t tmpfs tmpfs /top && mkdir /top/upper /top/work
mount -t overlay -o lowerdir=/low,upperdir=/top/upper,workdir=/top/work overlay /new
mkdir -p /new/code /new/site
mount -t 9p -o $options code /new/code
mount -t 9p -o $options site /new/site
for folder in dev proc sys; do mount --move /$folder /new/$folder; done
exec switch_root /new /bin/sh /code/tests/bridge/vm/guest.sh
INIT
    chmod +x start/init
    (cd start && find . | cpio -o -H newc --quiet | gzip) >initrd
    touch built
}

[ -e "$rig/built" ] || (build)

site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Plain emulation: nested KVM may hang, and the whole run takes some two minutes without it.
share() { echo "local,path=$1,mount_tag=$2,security_model=none,readonly=on,multidevs=remap"; }
timeout "${SECONDS_AT_MOST:-900}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m 1024 -smp 2 -no-reboot \
    -nodefaults -nographic -serial stdio -kernel "$rig"/kernel/boot/vmlinuz-* -initrd "$rig/initrd" \
    -append "console=ttyS0 quiet panic=-1" -virtfs "$(share "$rig/root" root)" -virtfs "$(share "$PWD" code)" \
    -virtfs "$(share "$site" site)" -device virtio-rng-pci | tee "$log"
grep -q "^ALL SCENARIOS PASSED" "$log"
