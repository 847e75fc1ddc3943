/** The steps `rng` and `vfio`: a source of random bytes, and a function that a program in user space drives. */
export const DEVICE_STEPS = `rng() {
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
`;
