/** What the server thread and the main thread say to each other. Types and docs only. */
import type { MachineDescription } from '../machine/machine-description.ts';

/** Handed to the thread when it starts. */
export interface ServerSettings {
  readonly machine: MachineDescription;
  /** Folder for the sockets; it exists. */
  readonly socketDir: string;
  /** Compare, on each translated access, that no other endpoint reaches the same memory at that address. */
  readonly checkIsolation: boolean;
}

/** Bytes of DMA of one endpoint. */
interface EndpointTraffic {
  readonly endpoint: number;
  readonly translatedBytes: number;
  readonly bypassedBytes: number;
  /** Bytes that went by untranslated while the guest's IOMMU driver was up. */
  readonly bypassedAfterAttach: number;
}

export interface ServerStatistics {
  /** Requests by name, in lower case. */
  readonly requests: Readonly<Record<'attach' | 'detach' | 'map' | 'unmap' | 'probe', number>>;
  readonly faults: number;
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
  | {
      readonly type: 'attached';
      readonly endpoint: number;
      readonly domain: number;
      readonly bypass: boolean;
    }
  | { readonly type: 'detached'; readonly endpoint: number; readonly domain: number }
  | {
      readonly type: 'fault';
      readonly endpoint: number;
      readonly reason: number;
      readonly access: number;
      readonly address: number;
      readonly delivered: boolean;
    }
  | { readonly type: 'stopped'; readonly statistics: ServerStatistics };

export interface ServerSocket {
  readonly name: string;
  readonly bdf: number;
  readonly socketPath: string;
}
