/** What a message handler gets, and what it answers. */
import type { PciFunction } from '@viommu/transport-pci';
import type { Interrupts } from '../interrupts.ts';
import type { DmaMemory } from '../memory/dma-memory.ts';
import type { ReceivedFds } from '../received-fds.ts';

/** One client of one function. */
export interface Session {
  readonly pciFunction: PciFunction;
  readonly memory: DmaMemory;
  readonly interrupts: Interrupts;
  /** Most data that the client takes or gives in one message, in bytes. */
  maxDataXferSize: number;
  /** The client sent an acceptable VFIO_USER_VERSION. */
  negotiated: boolean;
}

export interface Request {
  /** From the start of the header; longer than the message. */
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Of the message, header included. */
  readonly size: number;
  /** What the handler does not take is closed after it. */
  readonly fds: ReceivedFds;
}

/** Both show the same bytes, from the start of the header, which the handler leaves alone. */
export interface Reply {
  readonly view: DataView;
  readonly bytes: Uint8Array;
}

/**
 * @returns size of the reply in bytes, header included; or an errno, negated, for a reply that says so
 */
export type MessageHandler = (session: Session, request: Request, reply: Reply) => number;
