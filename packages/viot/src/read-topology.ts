/** readTopology: the topology of whatever describes one and says what it is: an ACPI table or a flattened device tree. */
import { isFlattenedTree } from './device-tree/flattened-tree.ts';
import { readDeviceTree } from './device-tree/read-device-tree.ts';
import { signatureOf } from './table/acpi-header.ts';
import { VIOT_SIGNATURE } from './table/layout.ts';
import { readViot } from './table/topology-table.ts';
import type { Topology } from './topology.ts';
import { ViotError } from './viot-error.ts';

type Reader = (bytes: Uint8Array) => Topology;

/** By the signature of the table. */
const READERS: ReadonlyMap<string, Reader> = new Map([[VIOT_SIGNATURE, readViot]]);

/**
 * @param bytes a whole VIOT, from its signature on, or a whole device tree (DTB)
 * @throws ViotError `SIGNATURE` for anything else, and as {@link readViot} and {@link readDeviceTree} do
 */
export function readTopology(bytes: Uint8Array): Topology {
  if (isFlattenedTree(bytes)) return readDeviceTree(bytes);
  const signature = signatureOf(bytes);
  const read = READERS.get(signature);
  if (read !== undefined) return read(bytes);
  throw new ViotError(
    'SIGNATURE',
    `this begins with ${JSON.stringify(signature)}: what says which IOMMU devices are behind is a device tree (DTB), or an ACPI table that is one of ${[...READERS.keys()].join(', ')}`,
    0,
  );
}
