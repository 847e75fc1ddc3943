/** ViotTarget: bytes as a VIOT, and as the topology in a device's configuration space; what is read is written, and read again. */
import {
  decodeInDevice,
  decodeViot,
  type EndpointRange,
  encodeInDevice,
  encodeViot,
  lintViot,
  readTopology,
  readViot,
  type Topology,
  tableTopology,
  writeViot,
} from '@viommu/viot';
import { violated } from '../../engine/invariant.ts';
import type { FuzzTarget } from '../../engine/target.ts';
import { repairTable } from './acpi-repair.ts';
import { attempt, checkSame, checkTopology } from './topology-invariants.ts';

const [IN_DEVICE, REPAIRED] = [1, 2];
/** Where the head is written again: behind the configuration that the standard has. */
const HEAD_OFFSET = 40;
const IOMMU = { kind: 'pci', segment: 0, bdf: 0x20 } as const;

export class ViotTarget implements FuzzTarget {
  /** The first byte says what the others are. */
  run(input: Uint8Array): number {
    const [code = 0] = input;
    const bytes = input.slice(1);
    if ((code & IN_DEVICE) !== 0) return runInDevice(bytes, code >> 1);
    if ((code & REPAIRED) !== 0) repairTable(bytes, 'VIOT');
    return runTable(bytes);
  }
}

function runTable(bytes: Uint8Array): number {
  const findings = lintViot(bytes).findings.length;
  const table = attempt(() => decodeViot(bytes));
  if (typeof table === 'number') return (Math.min(findings, 7) << 8) | table;
  const written = encodeViot(table);
  checkSame(decodeViot(written), table, 'the table is written and read again');
  if (Buffer.compare(written, bytes.subarray(0, written.length)) !== 0) {
    violated('the table is written with other bytes');
  }
  const topology = readViot(bytes);
  checkSame(tableTopology(table), topology, 'of the table');
  checkSame(readTopology(bytes), topology, 'by its signature');
  checkTopology(topology);
  const again = attempt(() => writeViot(topology));
  if (typeof again !== 'number') checkSame(readViot(again), topology, 'written and read again');
  return (
    0x8000 |
    (Math.min(topology.iommus.length, 7) << 12) |
    (Math.min(topology.endpoints.length, 7) << 9) |
    (Math.min(findings, 3) << 7) |
    (typeof again === 'number' ? again : 0)
  );
}

/** @param headOffset in bytes */
function runInDevice(bytes: Uint8Array, headOffset: number): number {
  let passedOver = 0;
  const endpoints = attempt(() =>
    decodeInDevice(bytes, headOffset, ({ offset }) => {
      passedOver += 1;
      if (offset >= bytes.length) violated(`what is passed over is at ${offset}`);
      // Each item has a head of four bytes.
      if (4 * passedOver > bytes.length) violated(`${passedOver} items are passed over`);
    }),
  );
  if (typeof endpoints === 'number') return 0x4000 | endpoints;
  const topology: Topology = { iommus: [IOMMU], endpoints };
  checkTopology(topology);
  const written = attempt(() => encodeInDevice(topology, 0, { headOffset: HEAD_OFFSET }));
  if (typeof written !== 'number')
    checkSame(readBack(written), endpoints, 'written and read again');
  return (
    0x5000 |
    (Math.min(endpoints.length, 7) << 8) |
    (Math.min(passedOver, 7) << 5) |
    (typeof written === 'number' ? written : 0)
  );
}

function readBack(written: Uint8Array): EndpointRange[] {
  const config = new Uint8Array(HEAD_OFFSET + written.length);
  config.set(written, HEAD_OFFSET);
  return decodeInDevice(config, HEAD_OFFSET);
}
