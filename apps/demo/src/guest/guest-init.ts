/** The `/init` of the test guest: a shell script for busybox that runs the steps named on the kernel command line. */

/** What every line meant for the harness starts with. */
export const MARKER = '@viommu ';

/**
 * The script. It reads `viommu.steps=` (see `guest-steps.ts`) and `viommu.disks=` (to wait for) from the kernel command
 * line and prints one marker line per fact; `guest-report.ts` has the list of them.
 *
 * The steps up to the n-th `reboot` run in boot n. The number of the boot is kept in a byte of the CMOS memory that nothing
 * else uses: it survives a reset of the machine and leaves the disk alone.
 */
export const GUEST_INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /usr/bin /usr/sbin /sbin
/bin/busybox --install -s
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
exec >/dev/console 2>&1

# A kernel message in the middle of a marker line would spoil it; \`log\` prints them as markers instead.
dmesg -n 1

say() { echo "@viommu $*"; }

parameter() { tr ' ' '\\n' </proc/cmdline | sed -n "s/^viommu\\.$1=//p"; }

# Byte 112 of what the CMOS clock has to keep: neither firmware nor QEMU uses it.
CMOS=/sys/bus/nvmem/devices/cmos_nvram0/nvmem
read_cmos() { dd if=$CMOS bs=1 skip=112 count=1 status=none | od -An -tu1 | tr -d ' '; }
write_cmos() { printf "\\\\$(printf %o "$1")" | dd of=$CMOS bs=1 seek=112 conv=notrunc status=none; }

seconds() { cut -d ' ' -f 1 /proc/uptime; }

# The kernel's messages since the last call that are about the IOMMU or the devices.
log() {
  dmesg -c | grep -iE 'iommu|virtio|viot|I/O error' | grep -v 'ommand line:' | while read -r line; do say "dmesg $line"; done
}

report() {
  say "kernel $(uname -r)"
  for device in /sys/bus/pci/devices/*; do
    driver=-
    [ -e "$device/driver" ] && driver=$(basename "$(readlink "$device/driver")")
    say "pci $(basename "$device") $(cut -c 3-6 "$device/vendor"):$(cut -c 3-6 "$device/device") $driver"
  done
  for device in /sys/bus/virtio/devices/*; do
    [ -e "$device" ] || continue
    driver=-
    [ -e "$device/driver" ] && driver=$(basename "$(readlink "$device/driver")")
    say "virtio $(basename "$(dirname "$(readlink -f "$device")")") $(cat "$device/device") $driver $(cat "$device/features")"
  done
  for group in /sys/kernel/iommu_groups/*; do
    [ -e "$group" ] || continue
    number=$(basename "$group")
    for device in "$group"/devices/*; do
      say "group $number $(basename "$device") $(cat "$group/type")"
    done
    while read -r start end type; do say "reserved $number $start $end $type"; done <"$group/reserved_regions"
  done
  for disk in /sys/block/vd*; do
    [ -e "$disk" ] && say "disk $(basename "$disk") $(($(cat "$disk/size") * 512))"
  done
  log
}

# O_DIRECT, so that each byte comes from the disk: DISK OFFSET_MIB MIB
checksum() {
  dd if="/dev/$1" bs=1M skip="$2" count="$3" iflag=direct status=none | sha256sum | cut -d ' ' -f 1
}

# DISK OFFSET_MIB MIB
read_disk() {
  hash=$(checksum "$1" "$2" "$3")
  say "read $1 $(($2 << 20)) $(($3 << 20)) $hash"
}

# DISK OFFSET_MIB MIB
write_disk() {
  dd if=/dev/urandom of=/tmp/data bs=1M count="$3" status=none
  hash=$(sha256sum /tmp/data | cut -d ' ' -f 1)
  if dd if=/tmp/data of="/dev/$1" bs=1M seek="$2" oflag=direct conv=notrunc,fsync status=none; then
    say "wrote $1 $(($2 << 20)) $(($3 << 20)) $hash"
    echo 3 >/proc/sys/vm/drop_caches
    read_disk "$1" "$2" "$3"
  else
    say "error writing to $1 failed"
  fi
  rm /tmp/data
}

# Nanoseconds since boot.
now() { sed -n 's/^now at \\([0-9]*\\) nsecs/\\1/p' /proc/timer_list; }

# Nanoseconds that dd takes, with starting it: DISK BLOCK_BYTES COUNT
timed_reads() {
  begin=$(now)
  dd if="/dev/$1" of=/dev/null bs="$2" count="$3" iflag=direct status=none
  echo $(($(now) - begin))
}

# DISK BLOCK_BYTES COUNT; first a quarter of it unmeasured, to warm up QEMU's translator and the device's code.
bench() {
  dd if="/dev/$1" of=/dev/null bs="$2" count="$(($3 / 4 + 1))" iflag=direct status=none
  empty=$(timed_reads "$1" "$2" 0)
  taken=$(timed_reads "$1" "$2" "$3")
  say "bench $1 $2 $(($2 * $3)) $(((taken - empty) / 1000))"
}

rng() {
  source=$(cat /sys/class/misc/hw_random/rng_current)
  if [ "$source" = none ]; then
    say "error there is no hardware random number generator"
    return
  fi
  say "rng $source $(dd if=/dev/hwrng bs=64 count=1 iflag=fullblock status=none | od -An -v -tx1 | tr -d ' \\n')"
}

# DEVICE.FUNCTION on bus 0. Without an IOMMU that remaps interrupts, VFIO wants to be told that we know.
vfio() {
  address=0000:00:$1
  echo 1 >/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts
  echo vfio-pci >"/sys/bus/pci/devices/$address/driver_override"
  echo "$address" >/sys/bus/pci/drivers_probe
  group=$(basename "$(readlink "/sys/bus/pci/devices/$address/iommu_group")")
  if [ -c "/dev/vfio/$group" ]; then
    say "vfio-group $group $address"
    vfio-dma "$group" "$address" || say "error vfio-dma ended with exit code $?"
  else
    say "error $address does not bind to vfio-pci"
  fi
  log
}

# Until a command succeeds: COMPLAINT COMMAND...
await() {
  complaint=$1
  shift
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    if [ $tries -gt 200 ]; then
      say "error $complaint within 20 s"
      break
    fi
    sleep 0.1
  done
}

appear() { await "/dev/$1 did not appear" test -b "/dev/$1"; }
vanish() { await "/dev/$1 did not go" test ! -b "/dev/$1"; }

boot=1
[ -e $CMOS ] && boot=$(($(read_cmos) + 1))
say "boot $boot"

for module in $(cat /modules/order); do
  insmod "/modules/$module" || say "error module $module does not load"
done

for disk in $(parameter disks | tr ',' ' '); do appear "$disk"; done
say "up $(seconds)"

section=1
for step in $(parameter steps | tr ',' ' '); do
  if [ "$section" -lt "$boot" ]; then
    [ "$step" = reboot ] && section=$((section + 1))
    continue
  fi
  set -- $(echo "$step" | tr ':' ' ')
  name=$1
  shift
  case $name in
  report) report ;;
  read) read_disk "$@" ;;
  write) write_disk "$@" ;;
  bench) bench "$@" ;;
  rng) rng ;;
  vfio) vfio "$@" ;;
  appear) appear "$@" ;;
  vanish) vanish "$@" ;;
  reboot)
    log
    write_cmos "$boot"
    if [ "$(read_cmos)" != "$boot" ]; then
      say "error this kernel cannot keep the number of the boot, so it is not restarted"
      poweroff -f
    fi
    say "rebooting $(seconds)"
    sync
    reboot -f
    ;;
  *) say "error unknown step $step" ;;
  esac
done
log
say "done $(seconds)"
poweroff -f
`;
