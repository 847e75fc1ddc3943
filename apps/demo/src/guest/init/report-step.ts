/** The step `report`: what the guest's kernel found, from sysfs and from its messages; and `interrupts`. */
export const REPORT_STEP = `# The kernel's messages since the last call that are about the IOMMU or the devices.
log() {
  dmesg -c | grep -iE 'iommu|virtio|viot|I/O error' | grep -v 'ommand line:' | while read -r line; do say "dmesg $line"; done
}

# The name of a device's driver, as \`driver\`. Names and values are taken by the shell itself: a process for each would take a
# guest under emulation longer than all else here.
find_driver() {
  driver=-
  if [ -e "$1/driver" ]; then
    cd -P "$1/driver"
    driver=\${PWD##*/}
  fi
}

report() {
  read -r release </proc/sys/kernel/osrelease
  say "kernel $release"
  for device in /sys/bus/pci/devices/*; do
    find_driver "$device"
    read -r vendor <"$device/vendor"
    read -r id <"$device/device"
    say "pci \${device##*/} \${vendor#0x}:\${id#0x} $driver"
  done
  for device in /sys/bus/virtio/devices/*; do
    [ -e "$device" ] || continue
    find_driver "$device"
    read -r id <"$device/device"
    read -r features <"$device/features"
    cd -P "$device/.."
    say "virtio \${PWD##*/} $id $driver $features"
  done
  for group in /sys/kernel/iommu_groups/*; do
    [ -e "$group" ] || continue
    number=\${group##*/}
    read -r kind <"$group/type"
    for device in "$group"/devices/*; do say "group $number \${device##*/} $kind"; done
    while read -r start end type; do say "reserved $number $start $end $type"; done <"$group/reserved_regions"
  done
  for disk in /sys/block/vd*; do
    [ -e "$disk" ] || continue
    read -r sectors <"$disk/size"
    say "disk \${disk##*/} $((sectors * 512))"
  done
  cd /
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
