/** readTopology: the topology of whatever describes one and names itself. */
import { isFlattenedTree } from './device-tree/flattened-tree.ts';
import { readDeviceTree } from './device-tree/read-device-tree.ts';
import { signatureOf } from './table/acpi-header.ts';
import { readViot } from './table/topology-table.ts';
import type { Topology } from './topology.ts';
import { ViotError } from './viot-error.ts';

/** ACPI tables by their signatures. */
const TABLE_READERS: ReadonlyMap<string, (bytes: Uint8Array) => Topology> = new Map([
  ['VIOT', readViot],
]);

/**
 * @param bytes an ACPI table or a flattened device tree
 * @throws ViotError as the reader of that form does; `SIGNATURE` when it is none that is known
 */
export function readTopology(bytes: Uint8Array): Topology {
  if (isFlattenedTree(bytes)) return readDeviceTree(bytes);
  const read = TABLE_READERS.get(signatureOf(bytes));
  if (read !== undefined) return read(bytes);
  throw new ViotError(
    'SIGNATURE',
    `this is neither a device tree (DTB) nor an ACPI table with a topology (${[...TABLE_READERS.keys()].join(', ')})`,
    0,
  );
}
