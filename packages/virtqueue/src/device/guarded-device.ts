/** GuardedDevice: has a device model work, and outlives one that throws. */
import type { Logger } from '../logger.ts';
import type { DeviceContext, VirtioDevice } from './virtio-device.ts';

/** A device model that throws is a bug of ours; the guest gets a device that needs a reset, other devices go on. */
export class GuardedDevice {
  readonly #device: VirtioDevice;
  readonly #logger: Logger;
  readonly #needsReset: (reason: string) => void;

  constructor(device: VirtioDevice, logger: Logger, needsReset: (reason: string) => void) {
    this.#device = device;
    this.#logger = logger;
    this.#needsReset = needsReset;
  }

  activate(context: DeviceContext): void {
    try {
      this.#device.activate(context);
    } catch (error) {
      this.#failed('activate', error);
    }
  }

  /** @returns true when buffers are left */
  notifyQueue(index: number): boolean {
    try {
      return this.#device.notifyQueue(index);
    } catch (error) {
      this.#failed('notifyQueue', error);
      return false;
    }
  }

  #failed(method: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#logger.error(`virtio device ${this.#device.deviceId}: ${method} threw: ${message}`);
    this.#needsReset(`an internal error in ${method}`);
  }
}
