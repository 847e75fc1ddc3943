/** What the figures were measured on. */
import { cpus, release, totalmem, type } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  readonly system: string;
  readonly node: string;
  readonly v8: string;
  /** Toolchains and libraries of the peers, with their versions. */
  readonly toolchains: readonly string[];
}

export function describeMachine(toolchains: readonly string[]): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: totalmem(),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    toolchains,
  };
}

/** As a list in Markdown. */
export function machineLines(date: Date, machine: Machine): string[] {
  const { cpu, cores, memory, system, node, v8, toolchains } = machine;
  return [
    `* ${date.toISOString().slice(0, 10)}`,
    `* ${cpu}, ${cores} cores, ${Math.round(memory / 2 ** 30)} GiB of memory, ${system}`,
    `* Node.js ${node} (V8 ${v8})`,
    ...toolchains.map((toolchain) => `* ${toolchain}`),
  ];
}
