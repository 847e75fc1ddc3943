/** buildTree: makes a flattened device tree of an input: nodes and properties that mean something, with values of any kind. */
import type { InputReader } from '../../engine/input-reader.ts';

const NODES = ['', 'soc', 'pcie@10000000', 'iommu@8', 'virtio_mmio@a000000', 'eth@0', '\u00ff'];
const PROPERTIES = [
  'compatible',
  'reg',
  'phandle',
  'iommus',
  'iommu-map',
  'iommu-map-mask',
  '#iommu-cells',
  '#address-cells',
  '#size-cells',
  'device_type',
  'status',
  'ranges',
  'linux,pci-domain',
  'linux,phandle',
  'bus-range',
  'constructor',
];
const TEXTS = [
  'virtio,mmio',
  'virtio,pci-iommu',
  'pci1af4,1057',
  'pci-host-ecam-generic',
  'pci',
  'disabled',
  'okay',
  'arm,smmu-v3',
  '',
];
const CELLS = [
  0, 1, 2, 3, 4, 8, 0x10, 0x100, 0xffff, 0x1_0000, 0x0a00_0000, 0x8000_0000, 0xffff_ffff,
];
const [BEGIN_NODE, END_NODE, PROP, NOP, END] = [1, 2, 3, 4, 9];
const HEADER_SIZE = 40;
const [MAGIC, VERSION, COMPATIBLE] = [0xd00d_feed, 17, 16];
const CELLS_MAX = 16;
const DIRECT = 0x80;

export function buildTree(input: InputReader): Uint8Array {
  const tree = new TreeWriter();
  tree.begin('');
  let depth = 1;
  while (!input.isAtEnd && depth > 0) {
    const code = input.byte();
    switch (code % 8) {
      case 0:
        tree.begin(NODES[(code >> 3) % NODES.length]!);
        depth += 1;
        break;
      case 1:
        tree.cell(END_NODE);
        depth -= 1;
        break;
      case 2:
        tree.text(PROPERTIES[(code >> 3) % PROPERTIES.length]!, input.pick(TEXTS));
        break;
      case 3:
        if (code >= 0xf0) tree.cell(input.word32());
        else tree.cell(NOP);
        break;
      default:
        tree.cells(PROPERTIES[(code >> 3) % PROPERTIES.length]!, readCells(input, code % 8));
    }
  }
  for (; depth > 0; depth -= 1) tree.cell(END_NODE);
  tree.cell(END);
  return tree.blob();
}

function readCells(input: InputReader, code: number): number[] {
  const count = input.byte();
  const cells = Array.from({ length: count % CELLS_MAX }, () => {
    const value = input.byte();
    if (value >= DIRECT && value < 0xf0) return value - DIRECT;
    return value >= 0xf0 ? input.word32() : CELLS[value % CELLS.length]!;
  });
  // As often as not several of a kind.
  return code === 7 ? [...cells, ...cells] : cells;
}

class TreeWriter {
  readonly #structure: number[] = [];
  #strings = '';

  begin(name: string): void {
    this.cell(BEGIN_NODE);
    this.#bytes(name);
  }

  cell(value: number): void {
    this.#structure.push(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
  }

  cells(name: string, cells: readonly number[]): void {
    this.#property(name, 4 * cells.length);
    for (const value of cells) this.cell(value);
  }

  text(name: string, text: string): void {
    this.#property(name, text.length + 1);
    this.#bytes(text);
  }

  blob(): Uint8Array {
    const structureSize = this.#structure.length;
    const size = HEADER_SIZE + structureSize + this.#strings.length;
    const blob = new Uint8Array(size);
    const header = [MAGIC, size, HEADER_SIZE, HEADER_SIZE + structureSize, 0, VERSION, COMPATIBLE];
    const view = new DataView(blob.buffer);
    for (const [index, value] of header.entries()) view.setUint32(4 * index, value);
    blob.set(this.#structure, HEADER_SIZE);
    for (let index = 0; index < this.#strings.length; index += 1) {
      blob[HEADER_SIZE + structureSize + index] = this.#strings.charCodeAt(index);
    }
    return blob;
  }

  #property(name: string, length: number): void {
    this.cell(PROP);
    this.cell(length);
    this.cell(this.#strings.length);
    this.#strings += `${name}\0`;
  }

  /** Ends with a NUL, and at a multiple of four. */
  #bytes(text: string): void {
    for (const sign of `${text}\0`) this.#structure.push(sign.charCodeAt(0));
    while (this.#structure.length % 4 !== 0) this.#structure.push(0);
  }
}
