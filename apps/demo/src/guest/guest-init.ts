/** The `/init` of the test guest: a shell script for busybox that runs the steps named on the kernel command line. */

import { DEVICE_STEPS } from './init/device-steps.ts';
import { DISK_STEPS } from './init/disk-steps.ts';
import { FETCH_STEP } from './init/fetch-step.ts';
import { NUMBERED_STEP } from './init/numbered-step.ts';
import { PLUG_STEPS } from './init/plug-steps.ts';
import { REBOOT_STEP } from './init/reboot-step.ts';
import { REPORT_STEP } from './init/report-step.ts';
import { SOAK_STEP } from './init/soak-step.ts';
import { TRANSFER_STEPS } from './init/transfer-steps.ts';

/** What every line meant for the harness starts with. */
export const MARKER = '@viommu ';

/**
 * The script. It reads `viommu.steps=` (see `guest-steps.ts`) and `viommu.disks=` (to wait for) from the kernel command
 * line and prints one marker line per fact; `guest-report.ts` has the list of them.
 *
 * The steps up to the n-th `reboot` run in boot n. The number of the boot is kept in a byte of the CMOS memory that nothing
 * else uses: it survives a reset of the machine and leaves the disk alone. Arm machines have none, and are not restarted.
 */
export const GUEST_INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /usr/bin /usr/sbin /sbin
/bin/busybox --install -s
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t proc proc /proc
read -r began _ </proc/uptime
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
exec >/dev/console 2>&1

# A kernel message in the middle of a marker line would spoil it; \`log\` prints them as markers instead.
dmesg -n 1

say() { echo "@viommu $*"; }

# Nanoseconds since boot.
now() { sed -n 's/^now at \\([0-9]*\\) nsecs/\\1/p' /proc/timer_list; }

seconds() { cut -d ' ' -f 1 /proc/uptime; }

parameter() { tr ' ' '\\n' </proc/cmdline | sed -n "s/^viommu\\.$1=//p"; }

${REPORT_STEP}
${PLUG_STEPS}
${DISK_STEPS}
${NUMBERED_STEP}
${DEVICE_STEPS}
${FETCH_STEP}
${TRANSFER_STEPS}
${SOAK_STEP}
${REBOOT_STEP}
say "boot $boot"
say "init $began"

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
  numbered) numbered "$@" ;;
  soak) soak "$@" ;;
  rng) rng ;;
  vfio) vfio "$@" ;;
  appear) appear "$@" ;;
  vanish) vanish "$@" ;;
  fetch) fetch "$@" ;;
  download) download "$@" ;;
  upload) upload "$@" ;;
  interrupts) interrupts ;;
  reboot) restart ;;
  *) say "error unknown step $step" ;;
  esac
done
log
say "done $(seconds)"
poweroff -f
`;
