/** Makes a machine whose functions are recorded into a file. */
import { closeSync, openSync, writeSync } from 'node:fs';
import {
  createMachine,
  describeAsJson,
  type Machine,
  type MachineDescription,
  type MachineFunction,
  type MachineOptions,
} from '@viommu/machine';
import { TraceRecorder } from '@viommu/trace';
import { CommandError, messageOf } from '../command-error.ts';
import { ChunkedGzip } from './chunked-gzip.ts';
import type { RecordSettings } from './record-settings.ts';
import { ownVersions } from './versions.ts';

export interface RecordedMachine {
  readonly machine: Machine;
  /** Those of the machine, recorded: to be used in their place. */
  readonly functions: readonly MachineFunction[];
  /** Ends the trace, whole; to be called once, when no function is used any more. */
  end(): void;
}

/** @throws CommandError when the file cannot be written */
export function recordMachine(
  description: MachineDescription,
  options: MachineOptions,
  settings: RecordSettings,
): RecordedMachine {
  const { path, title, versions, contents } = settings;
  const file = openTrace(path);
  try {
    const gzip = new ChunkedGzip((bytes) => writeWhole(file, bytes));
    const recorder = new TraceRecorder({
      title,
      versions: { ...ownVersions(), ...versions },
      machine: describeAsJson(withoutNames(description)),
      write: (chunk) => gzip.push(chunk),
      contentOf: (disk) => contents?.[disk] ?? { kind: 'zeros' },
    });
    const machine = createMachine(description, {
      ...options,
      parts: recorder.recordParts(options.parts),
    });
    const functions = machine.functions.map((one) => ({
      ...one,
      function: recorder.recordFunction(one),
    }));
    recorder.start();
    return {
      machine,
      functions,
      end() {
        recorder.end();
        gzip.end();
        closeSync(file);
      },
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function openTrace(path: string): number {
  try {
    return openSync(path, 'w', 0o600);
  } catch (error) {
    throw new CommandError(`--record: ${path} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

/** A trace is to be given away: where the files were on this machine is nobody's business. */
function withoutNames(description: MachineDescription): MachineDescription {
  const devices = description.devices.map((device, index) => {
    if (device.kind === 'disk') return { ...device, path: `disk ${index}` };
    return device.kind === 'net' ? { ...device, target: `network ${index}` } : device;
  });
  return { ...description, devices };
}
