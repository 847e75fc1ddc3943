/** Reads a flattened device tree, the form (DTB) in which a kernel is given one: big-endian, see the Devicetree Specification. */
import { hex } from '../describe.ts';
import { ViotError } from '../viot-error.ts';

/** A node, with the property values as they are. */
export interface TreeNode {
  /** With its unit address; empty for the root. */
  readonly name: string;
  readonly parent: TreeNode | undefined;
  readonly properties: ReadonlyMap<string, DataView>;
  readonly children: readonly TreeNode[];
}

interface UnfinishedNode extends TreeNode {
  readonly properties: Map<string, DataView>;
  readonly children: TreeNode[];
}

const FDT_MAGIC = 0xd00dfeed;
const HEADER_SIZE = 40;
const HEADER_TOTAL_SIZE = 4;
const HEADER_OFF_DT_STRUCT = 8;
const HEADER_OFF_DT_STRINGS = 12;
const HEADER_LAST_COMP_VERSION = 24;
const VERSION = 17;

const FDT_BEGIN_NODE = 1;
const FDT_END_NODE = 2;
const FDT_PROP = 3;
const FDT_NOP = 4;

export function isFlattenedTree(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0) === FDT_MAGIC;
}

/**
 * @returns the root
 * @throws ViotError `SIGNATURE`, `LENGTH`, `SYNTAX`
 */
export function readFlattenedTree(bytes: Uint8Array): TreeNode {
  if (!isFlattenedTree(bytes)) {
    throw new ViotError('SIGNATURE', 'this is no flattened device tree: compile it with dtc', 0);
  }
  const size = bytes.length < HEADER_SIZE ? 0 : viewOf(bytes).getUint32(HEADER_TOTAL_SIZE);
  if (size < HEADER_SIZE || size > bytes.length) {
    throw new ViotError(
      'LENGTH',
      `the device tree says ${size} bytes, and ${bytes.length} were given`,
      HEADER_TOTAL_SIZE,
    );
  }
  const blob = bytes.subarray(0, size);
  const version = viewOf(blob).getUint32(HEADER_LAST_COMP_VERSION);
  if (version > VERSION) {
    throw new ViotError(
      'SYNTAX',
      `the device tree has version ${version}`,
      HEADER_LAST_COMP_VERSION,
    );
  }
  return new StructureReader(blob).root();
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Goes through the structure block, token by token. */
class StructureReader {
  readonly #view: DataView;
  readonly #strings: number;
  #offset: number;

  constructor(blob: Uint8Array) {
    this.#view = viewOf(blob);
    this.#offset = this.#view.getUint32(HEADER_OFF_DT_STRUCT);
    this.#strings = this.#view.getUint32(HEADER_OFF_DT_STRINGS);
  }

  /** Without recursion: the depth of the nodes is up to whoever made the tree. */
  root(): TreeNode {
    let node: UnfinishedNode | undefined;
    for (;;) {
      const at = this.#offset;
      const token = this.#cell();
      if (token === FDT_BEGIN_NODE) {
        const child = { name: this.#name(), parent: node, properties: new Map(), children: [] };
        node?.children.push(child);
        node = child;
      } else if (token === FDT_PROP && node !== undefined) {
        const length = this.#cell();
        const name = this.#textAt(this.#strings + this.#cell());
        node.properties.set(name, this.#value(length));
      } else if (token === FDT_END_NODE && node !== undefined) {
        if (node.parent === undefined) return node;
        node = node.parent as UnfinishedNode;
      } else if (token !== FDT_NOP) {
        throw new ViotError(
          'SYNTAX',
          `the device tree has ${hex(token)} where a token should be`,
          at,
        );
      }
    }
  }

  #cell(): number {
    return this.#value(4).getUint32(0);
  }

  #name(): string {
    const name = this.#textAt(this.#offset);
    this.#value(name.length + 1);
    return name;
  }

  /** Values begin at multiples of four bytes. */
  #value(length: number): DataView {
    const { byteLength, byteOffset, buffer } = this.#view;
    const start = this.#offset;
    if (start + length > byteLength) throw endsEarly(start);
    this.#offset += Math.ceil(length / 4) * 4;
    return new DataView(buffer, byteOffset + start, length);
  }

  #textAt(offset: number): string {
    let text = '';
    for (let at = offset; at < this.#view.byteLength; at++) {
      const code = this.#view.getUint8(at);
      if (code === 0) return text;
      text += String.fromCharCode(code);
    }
    throw endsEarly(offset);
  }
}

function endsEarly(offset: number): ViotError {
  return new ViotError(
    'SYNTAX',
    `the device tree ends in the middle of what is at ${offset}`,
    offset,
  );
}
