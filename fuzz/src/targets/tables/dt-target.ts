/** DtTarget: flattened device trees, of bytes and of nodes that mean something. */
import { readDeviceTree, readTopology, writeDts } from '@viommu/viot';
import { InputReader } from '../../engine/input-reader.ts';
import type { FuzzTarget } from '../../engine/target.ts';
import { attempt, checkSame, checkTopology } from './topology-invariants.ts';
import { buildTree } from './tree-builder.ts';

const RAW = 0x80;
/** The blob that is built is damaged in some bytes. */
const DAMAGED = 0x40;
/** Ranges of a topology of which not all is tried. */
const COMPARED_MAX = 2048;
const BRIDGES = [0, 1, 2].map((segment) => ({ segment, ecam: 0x1000_0000 * (segment + 1) }));

export class DtTarget implements FuzzTarget {
  readonly #input = new InputReader();

  run(bytes: Uint8Array): number {
    const [code = 0] = bytes;
    const blob = (code & RAW) === 0 ? this.#build(bytes) : bytes.slice(1);
    const topology = attempt(() => readDeviceTree(blob));
    const isLong = typeof topology !== 'number' && topology.endpoints.length > COMPARED_MAX;
    // Each function can be a range of its own, which takes a while to compare.
    if (!isLong) {
      const again = attempt(() => readTopology(blob));
      checkSame(again, topology, 'by its signature');
    }
    if (typeof topology === 'number') return topology;
    checkTopology(topology);
    const { iommus, endpoints } = topology;
    const text = isLong ? 0 : attempt(() => writeDts(topology, { hostBridges: BRIDGES }));
    return (
      0x1000 |
      (Math.min(iommus.length, 7) << 9) |
      (Math.min(endpoints.length, 31) << 4) |
      (typeof text === 'number' ? text : 0)
    );
  }

  #build(bytes: Uint8Array): Uint8Array {
    const input = this.#input;
    input.begin(bytes);
    const code = input.byte();
    const damage: [number, number][] = [];
    if ((code & DAMAGED) !== 0) {
      for (let left = code % 4; left >= 0; left -= 1) damage.push([input.word16(), input.byte()]);
    }
    const blob = buildTree(input);
    for (const [at, value] of damage) blob[at % blob.length] = value;
    return blob;
  }
}
