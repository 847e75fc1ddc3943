/** Refuses what cannot become a machine: two functions at one address, a disk that is not there, or there twice. */
import { type Stats, statSync } from 'node:fs';
import type { DiskDescription, MachineDescription, Place } from '@viommu/machine';
import { describeDevice, describePlace } from '@viommu/machine';
import { CommandError, messageOf } from '../command-error.ts';

/** Of QEMU's q35: the host bridge, and the bridge to the chipset with what belongs to it. */
const TAKEN_SLOTS: readonly number[] = [0, 0x1f];

/** @throws {CommandError} with one line that says what to change */
export function checkMachine(description: MachineDescription): void {
  const { iommus, devices } = description;
  checkPlaces(description, [
    ...iommus.map(({ place }, index): [string, Place] => [
      iommus.length === 1 ? 'the IOMMU' : `IOMMU ${index}`,
      place,
    ]),
    ...devices.map((device): [string, Place] => [describeDevice(device), device.place]),
  ]);
  for (const device of devices) {
    if (device.iommu >= iommus.length) {
      throw new CommandError(
        `${describeDevice(device)} is behind IOMMU ${device.iommu}, and the last one is ${iommus.length - 1}`,
      );
    }
  }
  checkDisks(devices.filter((device) => device.kind === 'disk'));
}

function checkPlaces(
  description: MachineDescription,
  places: readonly (readonly [string, Place])[],
): void {
  const seen = new Map<string, string>();
  for (const [name, place] of places) {
    const where = describePlace(place, description);
    if (place.bus === 'pci' && place.bdf > 0xff) {
      throw new CommandError(`${name} is at ${where}; QEMU takes these functions on bus 0 only`);
    }
    if (place.bus === 'pci' && TAKEN_SLOTS.includes(place.bdf >> 3)) {
      throw new CommandError(
        `${name} is at ${where}, where QEMU's machine has a device of its own`,
      );
    }
    const other = seen.get(where);
    if (other !== undefined) {
      throw new CommandError(
        `${other} and ${name} are both at ${where}; give each an address of its own`,
      );
    }
    seen.set(where, name);
  }
}

/** Two disks on one file overwrite each other's data; to read it, any number may. */
function checkDisks(disks: readonly DiskDescription[]): void {
  const seen = new Map<string, DiskDescription>();
  for (const disk of disks) {
    const { dev, ino } = checkDisk(disk.path);
    const file = `${dev}:${ino}`;
    const other = seen.get(file);
    if (other !== undefined && !(other.readOnly && disk.readOnly)) {
      throw new CommandError(
        `disks ${other.path} and ${disk.path} are one file; give each its own, or ",ro" to both`,
      );
    }
    seen.set(file, disk);
  }
}

function checkDisk(path: string): Stats {
  let status: Stats;
  try {
    status = statSync(path);
  } catch (error) {
    throw new CommandError(`disk ${path} cannot be opened: ${messageOf(error)}`, { cause: error });
  }
  if (!status.isFile()) throw new CommandError(`disk ${path} is not a regular file`);
  const { size } = status;
  if (size === 0 || size % 512 !== 0) {
    throw new CommandError(`disk ${path} has ${size} bytes; a disk is a positive multiple of 512`);
  }
  return status;
}
