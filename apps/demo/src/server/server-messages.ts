/** What the server thread and the main thread say to each other. Types, docs and two numbers. */
import type { InspectorUpdate } from '@viommu/inspector';
import type { MachineDescription } from '@viommu/machine';
import type { RecordSettings } from '../trace/record-settings.ts';
import type { StraySettings } from './stray-access.ts';

/** In {@link ServerWatcher.wants}: somebody knows what was told last, and wants what has changed since. */
export const WANTS_CHANGES = 1;
/** The same: somebody wants all that there is. */
export const WANTS_WHOLE = 2;

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
  /** The `wants` of somebody who watches; nothing is installed for it when not given. */
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

/** What happens to the device that is passed through, once it has a domain that translates. Ends are inclusive. */
export type PassThroughMessage =
  /** Step 1b of the figure: the guest's driver asks for a mapping in the device's domain. */
  | {
      readonly type: 'guestMapped';
      readonly virtStart: number;
      readonly virtEnd: number;
      readonly physStart: number;
    }
  /** Step 1c: the host maps a run of it. */
  | {
      readonly type: 'hostMapped';
      readonly iova: number;
      readonly iovaEnd: number;
      readonly userAddress: number;
      readonly hostPhysical: number;
    }
  /** Step 2a: the device is told to copy. */
  | {
      readonly type: 'engineStarted';
      readonly source: number;
      readonly destination: number;
      readonly length: number;
    }
  /** Step 2b: an access of the device was translated. */
  | {
      readonly type: 'engineAccess';
      readonly address: number;
      readonly length: number;
      readonly access: number;
      readonly hostPhysical: number;
    };

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
  | PassThroughMessage
  /** The guest moved the windows of the function of that index in the description; 0 when it took the address back. */
  | { readonly type: 'windowsAddress'; readonly windows: number; readonly address: number }
  | { readonly type: 'stopped'; readonly statistics: ServerStatistics };

export interface ServerSocket {
  readonly name: string;
  readonly bdf: number;
  readonly socketPath: string;
}

/** What has been asked for by {@link ServerSettings.watch}; both say how it is at the same moment. */
export interface WatchedMessage {
  readonly type: 'watched';
  /** Since the last message of this type. */
  readonly changes: InspectorUpdate | undefined;
  readonly whole: InspectorUpdate | undefined;
}

/** Somebody who watches the machine of a server. */
export interface ServerWatcher {
  /** One Int32, in which it says what it wants next, `WANTS_*`. */
  readonly wants: SharedArrayBuffer;
  take(message: WatchedMessage): void;
}
