/** Makes the device tree of an Arm machine that has our topology in it: QEMU's own, with more nodes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, runProgram } from '@viommu/debian-archive';
import { type Topology, writeDtsFragment } from '@viommu/viot';
import { CommandError, messageOf } from '../../command-error.ts';
import { dumpTreeArguments } from '../machine-types/virt.ts';
import { DEFAULT_MEMORY_MEBIBYTES } from '../qemu-arguments.ts';
import type { QemuProgram } from '../qemu-program.ts';
import { interruptSpecifier, type MachineTree, readMachineTree } from './read-machine-tree.ts';

const BASE = 'machine-base.dtb';

export interface DumpMachineTreeOptions {
  readonly qemu: QemuProgram;
  /** A folder for the files. */
  readonly folder: string;
  /** That of the machine that is booted; 512 when not given. */
  readonly memoryMebibytes?: number;
}

/**
 * Asks QEMU for the tree of the machine as it is without our functions: what these have to know is in it.
 *
 * @throws {CommandError} when QEMU does not say
 */
export async function dumpMachineTree(options: DumpMachineTreeOptions): Promise<MachineTree> {
  const { qemu, folder, memoryMebibytes = DEFAULT_MEMORY_MEBIBYTES } = options;
  const file = join(folder, BASE);
  try {
    await runProgram(
      qemu.command,
      [...qemu.arguments, ...dumpTreeArguments(file, memoryMebibytes)],
      {
        environment: qemu.environment,
      },
    );
    return readMachineTree(readFileSync(file));
  } catch (error) {
    throw new CommandError(`the machine's device tree cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

export interface ExtendMachineTreeOptions {
  readonly dtc: Program;
  /** The folder that the machine's tree was dumped to. */
  readonly folder: string;
  readonly tree: MachineTree;
  readonly topology: Topology;
  /** The functions whose memory the virtio-mmio devices of the topology are windows of; none when not given. */
  readonly windows?: readonly WindowsFunction[];
}

/** A PCI function with windows, and the addresses that they have, the end inclusive. Its windows share its INTA. */
interface WindowsFunction {
  readonly bdf: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Adds the topology to the machine's tree.
 *
 * @returns the file to pass to QEMU as `deviceTreeFile`
 * @throws {CommandError} when dtc fails
 * @throws {ViotError} when a device tree has no words for the topology
 */
export async function extendMachineTree(options: ExtendMachineTreeOptions): Promise<string> {
  const { dtc, folder } = options;
  const [source, tree] = ['machine.dts', 'machine.dtb'].map((name) => join(folder, name));
  const fragment = topologyFragment(options);
  const run = (...args: string[]): Promise<string> =>
    // Quiet: it finds fault with trees of QEMU's.
    runProgram(dtc.command, [...dtc.arguments, '-q', ...args], {});
  try {
    const base = await run('-I', 'dtb', '-O', 'dts', join(folder, BASE));
    writeFileSync(source!, `${base}\n${fragment}`);
    await run('-I', 'dts', '-O', 'dtb', '-o', tree!, source!);
  } catch (error) {
    throw new CommandError(
      `the topology cannot be added to the machine's device tree: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return tree!;
}

function topologyFragment({ tree, topology, windows = [] }: ExtendMachineTreeOptions): string {
  const devices = [...topology.iommus, ...topology.endpoints];
  const bases = new Set(devices.flatMap((device) => (device.kind === 'mmio' ? device.base : [])));
  const functionAt = (base: number): number => {
    const found = windows.find(({ start, end }) => start <= base && base <= end);
    if (found !== undefined) return found.bdf;
    throw new Error(`say of which function the window at 0x${base.toString(16)} is`);
  };
  return writeDtsFragment(topology, {
    hostBridges: devices.some(({ kind }) => kind === 'pci')
      ? [{ segment: 0, node: tree.hostBridge }]
      : [],
    devices: [...bases].map((base) => ({
      base,
      interrupts: interruptSpecifier(tree, functionAt(base)),
      properties: ['dma-coherent;'],
    })),
  });
}
