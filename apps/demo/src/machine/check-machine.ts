/** Refuses what cannot become a machine: two functions at one address, a disk that is not there. */
import { statSync } from 'node:fs';
import { CommandError, messageOf } from '../command-error.ts';
import { describeDevice, describePlace } from './describe.ts';
import type { MachineDescription, Place } from './machine-description.ts';

/** @throws {CommandError} with one line that says what to change */
export function checkMachine(description: MachineDescription): void {
  const { iommus, devices } = description;
  checkPlaces([
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
    if (device.kind === 'disk') checkDisk(device.path);
  }
}

function checkPlaces(places: readonly (readonly [string, Place])[]): void {
  const seen = new Map<string, string>();
  for (const [name, place] of places) {
    const where = describePlace(place);
    if (place.bus === 'pci' && place.bdf > 0xff) {
      throw new CommandError(`${name} is at ${where}; QEMU takes these functions on bus 0 only`);
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

function checkDisk(path: string): void {
  let size: number;
  try {
    const status = statSync(path);
    if (!status.isFile()) throw new CommandError(`disk ${path} is not a regular file`);
    size = status.size;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`disk ${path} cannot be opened: ${messageOf(error)}`, { cause: error });
  }
  if (size === 0 || size % 512 !== 0) {
    throw new CommandError(`disk ${path} has ${size} bytes; a disk is a positive multiple of 512`);
  }
}
