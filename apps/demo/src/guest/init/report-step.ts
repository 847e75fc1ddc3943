/** The step `report`: what the guest's kernel found, from sysfs and from its messages; and `interrupts`. */
export const REPORT_STEP = `# The kernel's messages since the last call that are about the IOMMU or the devices.
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

# How often each of virtio's interrupts came, with what brought it: one column for each CPU, then the controller.
interrupts() {
  awk 'NR == 1 { cpus = NF; next }
    match($0, /virtio[0-9].*/) {
      count = 0
      for (i = 2; i <= cpus + 1; i++) count += $i
      name = substr($0, RSTART)
      gsub(" ", "", name)
      print "@viommu interrupt", name, $(cpus + 2), count
    }' /proc/interrupts
}
`;
