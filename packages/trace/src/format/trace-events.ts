/**
 * The contract of a trace: what is in its header, and the events that follow. Types and docs only.
 *
 * A trace is a row of operations, which is what the host did to a function, and behind each the effects of it: what the
 * function did then, in order. Together they are all that passes between a machine's functions and the rest of the world.
 */
import type { MemoryRegion } from '@viommu/virtqueue';

/** A PCI function, in events named by its index. */
export interface TracedFunction {
  readonly name: string;
  /** bus << 8 | device << 3 | function */
  readonly bdf: number;
}

/** What a disk holds before anything is written to it, so that its content need not be in the trace. */
export type DiskContent =
  | { readonly kind: 'zeros' }
  /** See `fillPattern`. */
  | { readonly kind: 'pattern'; readonly seed: number };

export interface TracedDisk {
  /** Bytes. */
  readonly size: number;
  readonly readOnly: boolean;
  readonly content: DiskContent;
}

export interface TracedNetwork {
  /** The longest frame that can be sent, in bytes. */
  readonly largestFrame: number;
}

/** All of it is data that JSON can hold. */
export interface TraceHeader {
  /** For people: what was recorded. */
  readonly title: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Of everything that took part, such as of the packages, Node.js, QEMU and the guest's kernel. */
  readonly versions: Readonly<Record<string, string>>;
  /** What the machine is made of, as `describeAsJson` of `@viommu/machine` says it. */
  readonly machine: unknown;
  readonly functions: readonly TracedFunction[];
  /** In the order in which the machine opened them. */
  readonly disks: readonly TracedDisk[];
  readonly networks: readonly TracedNetwork[];
}

interface Operation {
  /** Microseconds since the operation before. */
  readonly time: number;
}

interface FunctionOperation extends Operation {
  /** Index into {@link TraceHeader.functions}. */
  readonly function: number;
}

interface ConfigAccess extends FunctionOperation {
  readonly offset: number;
  readonly width: number;
  readonly value: number;
}

interface BarAccess extends ConfigAccess {
  readonly bar: number;
}

interface NetworkOperation extends Operation {
  /** Index into {@link TraceHeader.networks}. */
  readonly network: number;
}

/** What the host did. */
export type TraceOperation =
  | (FunctionOperation & { readonly kind: 'connect'; readonly ownsMsixTable: boolean })
  | (FunctionOperation & { readonly kind: 'disconnect' })
  | (FunctionOperation & { readonly kind: 'reset' })
  /** The function's memory is this from now on: before the function is connected, and whenever it changes. */
  | (FunctionOperation & {
      readonly kind: 'regions';
      readonly isShared: boolean;
      readonly regions: readonly MemoryRegion[];
    })
  | (FunctionOperation & { readonly kind: 'memoryChanged' })
  | (ConfigAccess & { readonly kind: 'readConfig' })
  | (ConfigAccess & { readonly kind: 'writeConfig' })
  | (BarAccess & { readonly kind: 'readBar' })
  | (BarAccess & { readonly kind: 'writeBar' })
  /** Its effects end with `served`. */
  | (FunctionOperation & { readonly kind: 'service' })
  /** The network had something to tell. */
  | (NetworkOperation & { readonly kind: 'networkReady' })
  /** The recording ended here, and not by accident. */
  | (Operation & { readonly kind: 'end' });

interface Range {
  /** Guest-physical, or for a disk the position in bytes. */
  readonly address: number;
  readonly length: number;
}

/** Bytes that whoever replays has already: a checksum tells whether they are the same. */
interface SummedRange extends Range {
  /** CRC-32, as in IEEE 802.3. */
  readonly sum: number;
}

interface DiskEffect {
  /** Index into {@link TraceHeader.disks}. */
  readonly disk: number;
}

interface NetworkEffect {
  readonly network: number;
}

/** What a function did. */
export type TraceEffect =
  | { readonly kind: 'dmaRead'; readonly address: number; readonly bytes: Uint8Array }
  /** What was read is what the function wrote or read there before. */
  | (Range & { readonly kind: 'dmaReadAgain' })
  /** The host had no such memory. */
  | (Range & { readonly kind: 'dmaReadDenied' })
  | { readonly kind: 'dmaWrite'; readonly address: number; readonly bytes: Uint8Array }
  /** A long one. */
  | (SummedRange & { readonly kind: 'dmaWriteSummed' })
  | (Range & { readonly kind: 'dmaWriteDenied' })
  | { readonly kind: 'intx'; readonly asserted: boolean }
  | {
      readonly kind: 'msix';
      readonly vector: number;
      readonly address: number;
      readonly data: number;
    }
  | (DiskEffect & {
      readonly kind: 'diskRead';
      readonly address: number;
      readonly bytes: Uint8Array;
    })
  /** What was read is what is known to be there: its content, or what was written to it. */
  | (DiskEffect & Range & { readonly kind: 'diskReadAgain' })
  | (DiskEffect & SummedRange & { readonly kind: 'diskWrite' })
  | (DiskEffect & { readonly kind: 'diskFlush' })
  /** The host's disk failed what was asked of it last, with this message. */
  | (DiskEffect & { readonly kind: 'diskFailed'; readonly message: string })
  | { readonly kind: 'random'; readonly bytes: Uint8Array }
  /** From now on. Before the first one, a link is up and can send. */
  | (NetworkEffect & {
      readonly kind: 'networkState';
      readonly linkUp: boolean;
      readonly canSend: boolean;
    })
  /** The network told its device so: a method of `NetBackendListener`. */
  | (NetworkEffect & { readonly kind: 'networkTells'; readonly what: number })
  | (NetworkEffect & { readonly kind: 'networkReceive'; readonly bytes: Uint8Array })
  | (NetworkEffect & { readonly kind: 'networkNothing' })
  | (NetworkEffect & { readonly kind: 'networkSend'; readonly bytes: Uint8Array })
  | (NetworkEffect & { readonly kind: 'networkFlush' })
  | { readonly kind: 'served'; readonly workLeft: boolean };

export type TraceEvent = TraceOperation | TraceEffect;

/** An operation with all that came of it. */
export interface TraceStep {
  /** How many operations came before it. */
  readonly index: number;
  /** Microseconds since the beginning. */
  readonly time: number;
  readonly operation: TraceOperation;
  readonly effects: readonly TraceEffect[];
}
