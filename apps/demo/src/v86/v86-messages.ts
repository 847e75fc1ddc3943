/** What the thread of a guest in v86 and the main thread say to each other. Types and docs only. */
import type { ObservedSettings } from '../server/observed-machine.ts';
import type { ServerMessage, WatchedMessage } from '../server/server-messages.ts';

/** Handed to the thread when it starts. */
export interface V86Settings extends ObservedSettings {
  /** Paths of a bzImage and of its initial file system. */
  readonly kernel: string;
  readonly initramfs: string;
  readonly commandLine: string;
  /** Paths. */
  readonly bios: string;
  readonly vgaBios: string;
  readonly memoryMebibytes: number;
}

export type V86Message =
  | ServerMessage
  | WatchedMessage
  /** Bytes of the serial console. */
  | { readonly type: 'console'; readonly bytes: Uint8Array };

/** To the thread: the guest is to be ended. */
export interface V86Stop {
  readonly type: 'stop';
}
