/** VendorTablesTarget: bytes as a DMAR, an IVRS and an IORT. */
import {
  type BridgeBuses,
  readDmar,
  readIort,
  readIvrs,
  readTopology,
  type Topology,
  type VendorTableOptions,
} from '@viommu/viot';
import { violated } from '../../engine/invariant.ts';
import type { FuzzTarget } from '../../engine/target.ts';
import { repairTable } from './acpi-repair.ts';
import { attempt, checkSame, checkTopology } from './topology-invariants.ts';

type Reader = (bytes: Uint8Array, options?: VendorTableOptions) => Topology;
const TABLES: readonly (readonly [signature: string, read: Reader])[] = [
  ['DMAR', readDmar],
  ['IVRS', readIvrs],
  ['IORT', readIort],
];
const AS_IT_IS = 0x80;
const WITH_BRIDGES = 0x40;

export class VendorTablesTarget implements FuzzTarget {
  /** The first byte says which table the others are, and whether its head is repaired. */
  run(input: Uint8Array): number {
    const [code = 0] = input;
    const bytes = input.slice(1);
    const kind = code % TABLES.length;
    const [signature, read] = TABLES[kind]!;
    if ((code & AS_IT_IS) === 0) repairTable(bytes, signature);
    let passedOver = 0;
    const options: VendorTableOptions = {
      ...((code & WITH_BRIDGES) === 0 ? {} : { bridge: bridgeAt }),
      passedOver: ({ offset }) => {
        passedOver += 1;
        if (!(offset >= 0 && offset < bytes.length))
          violated(`passed over is what is at ${offset}`);
      },
    };
    const topology = attempt(() => read(bytes, options));
    const other = attempt(() => readTopology(bytes, { ...options, passedOver: () => {} }));
    if (typeof topology === 'number') {
      if (typeof other !== 'number') checkTopology(other);
      return (kind << 5) | topology;
    }
    checkSame(other, topology, 'by its signature');
    checkTopology(topology);
    return (
      0x8000 |
      (kind << 12) |
      (Math.min(topology.iommus.length, 7) << 9) |
      (Math.min(topology.endpoints.length, 31) << 4) |
      Math.min(passedOver, 15)
    );
  }
}

/** Some are none, and some have numbers in the wrong order, as before firmware has set them. */
function bridgeAt(segment: number, bdf: number): BridgeBuses | undefined {
  if (bdf % 3 === 0) return undefined;
  return { secondary: (bdf + segment) % 256, subordinate: (bdf >> 3) % 256 };
}
