/** Reads from the device tree of an Arm machine what the devices that are put into it have to know. */
import {
  cellsOf,
  nodesBelow,
  pathOf,
  readFlattenedTree,
  registersOf,
  type TreeNode,
  textsOf,
} from '@viommu/viot';

/** Ends are inclusive. */
interface AddressRange {
  readonly start: number;
  readonly end: number;
}

/** The interrupt that a pin of a function is wired to. */
interface InterruptWire {
  /** Of the function's address, device << 3 | function, what {@link MachineTree.slotMask} leaves of it. */
  readonly slot: number;
  /** 1 is INTA. */
  readonly pin: number;
  /** `interrupts` of a node whose interrupt parent is the root's. */
  readonly specifier: readonly number[];
}

/** Plain data. */
export interface MachineTree {
  /** Path of the node of the PCI host bridge, such as `/pcie@10000000`. */
  readonly hostBridge: string;
  /** Where PCI functions write messages for interrupts; none on a machine that takes no messages. */
  readonly msiDoorbells: readonly AddressRange[];
  /** The 32-bit window for the memory of PCI functions, as the CPU sees it. */
  readonly memoryWindow: AddressRange;
  readonly slotMask: number;
  readonly interruptMap: readonly InterruptWire[];
}

/** Which of a controller's registers functions write to; by `compatible`. */
const DOORBELLS: Readonly<Record<string, { readonly offset: number; readonly size: number }>> = {
  // GITS_TRANSLATER has a frame of its own behind that of the control registers.
  'arm,gic-v3-its': { offset: 0x1_0000, size: 0x1_0000 },
  'arm,gic-v2m-frame': { offset: 0, size: 0x1000 },
};

/** Cells of a PCI address: the first has the function and the kind of the address. */
const PCI_ADDRESS_CELLS = 3;
const PCI_SIZE_CELLS = 2;
const PCI_SPACE_MASK = 0x0300_0000;
const PCI_SPACE_MEMORY_32 = 0x0200_0000;

/**
 * @param dtb the flattened tree
 * @throws {Error} when it has no PCI host bridge, or not all of what is read from one
 */
export function readMachineTree(dtb: Uint8Array): MachineTree {
  const root = readFlattenedTree(dtb);
  const nodes = nodesBelow(root, () => true);
  const bridge = nodes.find((node) => textsOf(node, 'device_type')[0] === 'pci');
  if (bridge === undefined) throw new Error('the machine has no PCI host bridge');
  const [deviceMask = 0] = cellsOf(bridge, 'interrupt-map-mask');
  return {
    hostBridge: pathOf(bridge),
    msiDoorbells: nodes.flatMap(doorbellOf),
    memoryWindow: memoryWindowOf(bridge, root),
    slotMask: deviceMask >>> 8,
    interruptMap: interruptMapOf(bridge, root, nodes),
  };
}

/**
 * `interrupts` of a node at the root that stands for a part of a PCI function: the line that the function's pin is wired to.
 *
 * @param pin 1 is INTA
 * @throws {Error} when the pin is wired to nothing
 */
export function interruptSpecifier(tree: MachineTree, bdf: number, pin = 1): readonly number[] {
  const slot = bdf & tree.slotMask;
  const wire = tree.interruptMap.find((entry) => entry.slot === slot && entry.pin === pin);
  if (wire === undefined) throw new Error(`the machine has no interrupt for pin ${pin} of ${bdf}`);
  return wire.specifier;
}

function doorbellOf(node: TreeNode): AddressRange[] {
  if (!node.properties.has('msi-controller')) return [];
  const doorbell = textsOf(node, 'compatible').flatMap((name) => DOORBELLS[name] ?? [])[0];
  const registers = registersOf(node);
  if (doorbell === undefined || registers === undefined) return [];
  const start = registers + doorbell.offset;
  return [{ start, end: start + doorbell.size - 1 }];
}

/** The entries of `ranges`: an address on PCI, the same as the CPU sees it, a size. */
function memoryWindowOf(bridge: TreeNode, root: TreeNode): AddressRange {
  const ranges = cellsOf(bridge, 'ranges');
  const size = PCI_ADDRESS_CELLS + addressCells(root);
  const entry = size + PCI_SIZE_CELLS;
  for (let at = 0; at + entry <= ranges.length; at += entry) {
    if ((ranges[at]! & PCI_SPACE_MASK) !== PCI_SPACE_MEMORY_32) continue;
    const start = numberOf(ranges.slice(at + PCI_ADDRESS_CELLS, at + size));
    return { start, end: start + numberOf(ranges.slice(at + size, at + entry)) - 1 };
  }
  throw new Error(`${pathOf(bridge)} has no window for 32-bit memory`);
}

/** The entries of `interrupt-map`: an address on PCI, a pin; the controller, an address there, and what the controller calls it. */
function interruptMapOf(
  bridge: TreeNode,
  root: TreeNode,
  nodes: readonly TreeNode[],
): InterruptWire[] {
  const [parent] = cellsOf(root, 'interrupt-parent');
  const controller = nodes.find((node) => cellsOf(node, 'phandle')[0] === parent);
  if (controller === undefined) throw new Error('the machine has no interrupt controller');
  const map = cellsOf(bridge, 'interrupt-map');
  const pin = PCI_ADDRESS_CELLS;
  const specifier = pin + 2 + (cellsOf(controller, '#address-cells')[0] ?? 0);
  const entry = specifier + (cellsOf(controller, '#interrupt-cells')[0] ?? 1);
  const wires: InterruptWire[] = [];
  for (let at = 0; at + entry <= map.length; at += entry) {
    if (map[at + pin + 1] !== parent) {
      throw new Error(`${pathOf(bridge)} is wired to another interrupt controller than the root`);
    }
    wires.push({
      slot: map[at]! >>> 8,
      pin: map[at + pin]!,
      specifier: map.slice(at + specifier, at + entry),
    });
  }
  return wires;
}

function addressCells(node: TreeNode): number {
  return cellsOf(node, '#address-cells')[0] ?? 2;
}

function numberOf(cells: readonly number[]): number {
  return cells.reduce((value, cell) => value * 2 ** 32 + cell, 0);
}
