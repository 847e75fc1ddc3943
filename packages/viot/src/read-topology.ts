/** readTopology: the topology of whatever describes one and says what it is: an ACPI table or a flattened device tree. */
import { isFlattenedTree } from './device-tree/flattened-tree.ts';
import { readDeviceTree } from './device-tree/read-device-tree.ts';
import { signatureOf } from './table/acpi-header.ts';
import { VIOT_SIGNATURE } from './table/layout.ts';
import { readViot } from './table/topology-table.ts';
import type { Topology } from './topology.ts';
import { DMAR_SIGNATURE, readDmar } from './vendor/dmar.ts';
import { IORT_SIGNATURE, readIort } from './vendor/iort.ts';
import { IVRS_SIGNATURE, readIvrs } from './vendor/ivrs.ts';
import type { VendorTableOptions } from './vendor/vendor-options.ts';
import { ViotError } from './viot-error.ts';

type Reader = (bytes: Uint8Array, options?: VendorTableOptions) => Topology;

/** By the signature of the table. */
const READERS: ReadonlyMap<string, Reader> = new Map([
  [VIOT_SIGNATURE, (bytes: Uint8Array) => readViot(bytes)],
  [DMAR_SIGNATURE, readDmar],
  [IVRS_SIGNATURE, readIvrs],
  [IORT_SIGNATURE, readIort],
]);

/**
 * @param bytes a whole VIOT, DMAR, IVRS or IORT, from its signature on, or a whole device tree (DTB)
 * @throws ViotError `SIGNATURE` for anything else, and as {@link readViot}, {@link readDmar}, {@link readIvrs},
 * {@link readIort} and {@link readDeviceTree} do
 */
export function readTopology(bytes: Uint8Array, options: VendorTableOptions = {}): Topology {
  if (isFlattenedTree(bytes)) return readDeviceTree(bytes);
  const signature = signatureOf(bytes);
  const read = READERS.get(signature);
  if (read !== undefined) return read(bytes, options);
  throw new ViotError(
    'SIGNATURE',
    `this begins with ${JSON.stringify(signature)}: what says which IOMMU devices are behind is a device tree (DTB), or an ACPI table that is one of ${[...READERS.keys()].join(', ')}`,
    0,
  );
}
