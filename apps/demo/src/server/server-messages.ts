/** What the server thread and the main thread say to each other. Types and docs only. */
import type { InspectorUpdate, PassThroughStep, WalkAnswer } from '@viommu/inspector';
import type { MachineDescription } from '@viommu/machine';
import type { RecordSettings } from '../trace/record-settings.ts';
import type { StraySettings } from './stray-access.ts';
import type { WatchBoard } from './watch-board.ts';

/** Handed to the thread when it starts. */
export interface ServerSettings {
  readonly machine: MachineDescription;
  /** Folder for the sockets; it exists. */
  readonly socketDir: string;
  /** A user whose QEMU may connect besides our own user's and root's; the sockets are then that user's. */
  readonly allowUid?: number;
  /** Compare, on each translated access, that no other endpoint reaches the same memory at that address. */
  readonly checkIsolation: boolean;
  /** Open a control socket, `control.sock`. */
  readonly control?: boolean;
  /** Rules of fault injection, as JSON has them. */
  readonly rules?: readonly unknown[];
  /** Where to record what the devices see, if at all. */
  readonly record?: RecordSettings;
  /** A device that goes astray. */
  readonly stray?: StraySettings;
  /** The board's buffer of somebody who watches; nothing is installed for it when not given. */
  readonly watch?: SharedArrayBuffer;
}

/** Which endpoint of which IOMMU, and where its registers are, such as `00:05.0`. */
interface EndpointName {
  /** Index of the IOMMU. */
  readonly iommu: number;
  readonly endpoint: number;
  readonly device: string;
}

/** Bytes of DMA of one endpoint. */
interface EndpointTraffic extends EndpointName {
  readonly translatedBytes: number;
  readonly bypassedBytes: number;
  /** Bytes that went by untranslated while the guest's IOMMU driver was up. */
  readonly bypassedAfterAttach: number;
}

/** What one IOMMU was asked, and refused. */
export interface IommuStatistics {
  /** Requests by name, in lower case. */
  readonly requests: Readonly<Record<'attach' | 'detach' | 'map' | 'unmap' | 'probe', number>>;
  readonly faults: number;
}

export interface ServerStatistics extends IommuStatistics {
  /** Each IOMMU; the rest is of all of them together. */
  readonly iommus: readonly IommuStatistics[];
  readonly endpoints: readonly EndpointTraffic[];
  /** What endpoints reach, compared with what the guest mapped for them; see `IsolationCheck`. */
  readonly isolation: {
    readonly checked: number;
    readonly strayed: number;
    readonly refused: number;
  };
}

export type ServerMessage =
  | {
      readonly type: 'listening';
      readonly sockets: readonly ServerSocket[];
      readonly stopHandle: number;
    }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly message: string }
  | (EndpointName & {
      readonly type: 'attached';
      readonly domain: number;
      readonly bypass: boolean;
    })
  | (EndpointName & { readonly type: 'detached'; readonly domain: number })
  | (EndpointName & {
      readonly type: 'fault';
      readonly reason: number;
      readonly access: number;
      readonly address: number;
      readonly delivered: boolean;
    })
  /** A rule of fault injection did something. */
  | {
      readonly type: 'injected';
      readonly iommu: number;
      readonly rule: number;
      readonly text: string;
    }
  | PassThroughStep
  /** The guest moved the windows of the function of that index in the description; 0 when it took the address back. */
  | { readonly type: 'windowsAddress'; readonly windows: number; readonly address: number }
  | { readonly type: 'stopped'; readonly statistics: ServerStatistics };

export interface ServerSocket {
  readonly name: string;
  readonly bdf: number;
  readonly socketPath: string;
}

/** What has been asked for by {@link ServerSettings.watch}; all of it says how it is at the same moment. */
export interface WatchedMessage {
  readonly type: 'watched';
  /** Since the last message of this type. */
  readonly changes: InspectorUpdate | undefined;
  readonly whole: InspectorUpdate | undefined;
  /** By place on the board, of those who have asked for one. */
  readonly walks: readonly (WalkAnswer | undefined)[];
}

/** Somebody who watches the machine of a server. */
export interface ServerWatcher {
  /** On which it says what it wants next, and what it asks. */
  readonly board: WatchBoard;
  take(message: WatchedMessage): void;
}
