/** NodeParts: files as disks, networks of this system, and its random numbers, for a machine. */
import {
  type FileDisk,
  fillRandom,
  openFileDisk,
  openStreamNetBackend,
  openTapBackend,
  type SystemNetBackend,
} from '@viommu/devices/node';
import type { DiskDescription, MachineParts, NetDescription } from '@viommu/machine';
import type { Logger } from '@viommu/virtqueue';

export class NodeParts implements MachineParts {
  /** What the thread of the machine has to wait for besides its clients. */
  readonly networks: SystemNetBackend[] = [];
  readonly fillRandom = fillRandom;
  readonly #options: { readonly logger?: Logger };

  constructor(options: { readonly logger?: Logger } = {}) {
    this.#options = options;
  }

  /** @throws VirtioError with one line that says why it cannot be opened */
  openDisk({ path, readOnly }: DiskDescription): FileDisk {
    return openFileDisk(path, { readOnly });
  }

  /** @throws VirtioError with one line that says why there is no such network */
  openNetwork({ network, target }: NetDescription): SystemNetBackend {
    const backend =
      network === 'tap'
        ? openTapBackend({ name: target, ...this.#options })
        : openStreamNetBackend({ path: target, ...this.#options });
    this.networks.push(backend);
    return backend;
  }
}
