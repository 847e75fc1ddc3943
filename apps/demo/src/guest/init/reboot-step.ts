/** The step `reboot`, and the number of the boot, which has to outlive it. */
export const REBOOT_STEP = `# Byte 112 of what the clock of a PC has to keep: neither firmware nor QEMU uses it.
CMOS=/sys/bus/nvmem/devices/cmos_nvram0/nvmem
read_cmos() { dd if=$CMOS bs=1 skip=112 count=1 status=none | od -An -tu1 | tr -d ' '; }
write_cmos() { printf "\\\\$(printf %o "$1")" | dd of=$CMOS bs=1 seek=112 conv=notrunc status=none; }

boot=1
[ -e $CMOS ] && boot=$(($(read_cmos) + 1))

restart() {
  log
  if [ ! -e $CMOS ]; then
    say "error this machine ($(uname -m)) has no clock of a PC, which keeps the number of the boot, so it is not restarted"
    poweroff -f
  fi
  write_cmos "$boot"
  if [ "$(read_cmos)" != "$boot" ]; then
    say "error this kernel cannot keep the number of the boot, so it is not restarted"
    poweroff -f
  fi
  say "rebooting $(seconds)"
  sync
  reboot -f
}
`;
