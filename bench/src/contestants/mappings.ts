/**
 * What the works use of the IOMMU beside its requests: how a device with its backend is made, and the backend's own methods.
 * Other than through this file no work touches a mapping.
 */
import {
  type MappingTable,
  SELECTED_WHOLE,
  TRANSLATION_OK,
  type TranslationBackend,
  type TranslationResult,
  VirtioIommuDevice,
} from '@viommu/iommu-core';
import { simBackend } from '@viommu/pviommu-sim';
import { ACCESS_READ, ACCESS_WRITE } from '@viommu/virtqueue';
import { BenchError } from '../bench-error.ts';
import { PAGE, physicalOf } from './residents.ts';

export const ENDPOINT = 8;
export const DOMAIN = 1;
const READ_WRITE = ACCESS_READ | ACCESS_WRITE;

export interface IommuUnderTest {
  readonly device: VirtioIommuDevice;
  readonly backend: TranslationBackend;
}

export interface IommuSize {
  /** Number of endpoints, 1 by default; the first is ENDPOINT, the others follow it. */
  readonly endpoints?: number;
  /** Mappings that there may be, as {@link VirtioIommuDevice} has it by default. */
  readonly maxMappings?: number;
}

/** With all other options as they are by default. */
export function createIommu({ endpoints = 1, ...options }: IommuSize = {}): IommuUnderTest {
  let backend: TranslationBackend | undefined;
  const createBackend = simBackend();
  const device = new VirtioIommuDevice({
    backend: (components) => {
      backend = createBackend(components);
      return backend;
    },
    endpoints: Array.from({ length: endpoints }, (_, index) => ({ id: ENDPOINT + index })),
    ...options,
  });
  return { device, backend: backend! };
}

/** Used again for each mapping, as a device does. */
const mapping = { virtStart: 0, virtEnd: 0, physStart: 0, flags: READ_WRITE };

/** Maps a page that is free. */
export function mapPage(table: MappingTable, virtStart: number): void {
  table.insert({
    virtStart,
    virtEnd: virtStart + PAGE - 1,
    physStart: physicalOf(virtStart),
    flags: READ_WRITE,
  });
}

/** Maps and unmaps one extent as requests do, checks included: what they cost in the table. */
export function mapAndUnmap(
  table: MappingTable,
  virtStart: number,
  length: number,
  physStart: number,
): void {
  mapping.virtStart = virtStart;
  mapping.virtEnd = virtStart + length - 1;
  mapping.physStart = physStart;
  if (table.overlaps(mapping)) throw new BenchError(`${virtStart} is mapped already`);
  table.insert(mapping);
  if (table.select(mapping) !== SELECTED_WHOLE || table.remove(mapping) !== 1) {
    throw new BenchError(`${length} bytes at ${virtStart} could not be unmapped`);
  }
}

/** @returns the sum of all physical addresses, modulo 2^32 */
export function translateAll(
  backend: TranslationBackend,
  addresses: Float64Array,
  from: number,
  to: number,
  out: TranslationResult,
): number {
  let sum = 0;
  for (let index = from; index < to; index += 1) {
    if (backend.translate(ENDPOINT, addresses[index]!, 4, ACCESS_READ, out) !== TRANSLATION_OK) {
      throw new BenchError(`the backend did not translate ${addresses[index]}`);
    }
    sum = (sum + out.physical) | 0;
  }
  return sum;
}
