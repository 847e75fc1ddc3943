/** Connects a virtio-net of a machine to its network. */
import { openStreamNetBackend, openTapBackend, type SystemNetBackend } from '@viommu/devices/node';
import type { Logger } from '@viommu/virtqueue';
import type { NetDescription } from './machine-description.ts';

/** @throws VirtioError with one line that says why there is no such network */
export function openNetwork(net: NetDescription, options: { logger?: Logger }): SystemNetBackend {
  const { network, target } = net;
  return network === 'tap'
    ? openTapBackend({ name: target, ...options })
    : openStreamNetBackend({ path: target, ...options });
}
