/** What a virtio-net counts. */

export interface NetCounters {
  /** Frames given to the driver, and their bytes. */
  receivedFrames: number;
  receivedBytes: number;
  /** Frames for the guest that it did not get: the link is down, too long for its buffers or for `mtu`, memory refused. */
  receiveDrops: number;
  /** Frames sent to the network, and their bytes. */
  sentFrames: number;
  sentBytes: number;
  /** Buffers of the driver that held nothing to send, or met a link that is down. */
  sendDrops: number;
}

export function createNetCounters(): NetCounters {
  return {
    receivedFrames: 0,
    receivedBytes: 0,
    receiveDrops: 0,
    sentFrames: 0,
    sentBytes: 0,
    sendDrops: 0,
  };
}
