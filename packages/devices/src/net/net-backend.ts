/** The contract NetBackend: where a virtio-net sends its frames, and takes those for its guest from. Types and docs only. */

/** A run of bytes in the backend's own memory. The device owns the object, hands it in again and again, and nothing is allocated. */
export interface NetFrame {
  /** What the frame lies in. */
  bytes: Uint8Array;
  /** Where in `bytes` the Ethernet header begins. */
  offset: number;
  /** In bytes, without frame check sequence. */
  length: number;
}

/** What a backend tells its device, which only notes it: the call can come from within a call to the backend. */
export interface NetBackendListener {
  /** There may be frames to receive. */
  receivable(): void;
  /** {@link NetBackend.canSend} may have become true. */
  sendable(): void;
  /** {@link NetBackend.linkUp} has changed. */
  linkChanged(): void;
}

/**
 * A link to a network that carries Ethernet frames both ways. Nothing here blocks, and nothing throws for what the network does:
 * a peer that is gone, or sends what is no frame, takes the link down.
 */
export interface NetBackend {
  /** The longest frame that can be sent, in bytes with the Ethernet header: at least 1514. */
  readonly largestFrame: number;
  /** Whether frames go anywhere. */
  readonly linkUp: boolean;
  /** Whether a frame of any length can be sent now. False only while the network takes no more; `sendable` follows. */
  readonly canSend: boolean;

  /** The device that is served from now on; there is one in a backend's life. */
  listen(listener: NetBackendListener): void;

  /**
   * Shows the next frame from the network, where it came in. It stays there until the next call. The 12 bytes before it are
   * the device's to write: a `struct virtio_net_hdr` goes there, to be copied along with the frame.
   *
   * @param frame filled when the answer is true
   * @returns false when there is none now; `receivable` follows
   */
  receive(frame: NetFrame): boolean;

  /**
   * Gives room for a frame to send. Call only while {@link canSend}; what is not committed is forgotten.
   *
   * @param length in bytes, at most {@link largestFrame}
   * @param frame filled: where the frame is to be put
   */
  reserve(length: number, frame: NetFrame): void;
  /** The room given last is filled: its frame is sent at the next {@link flush}, or before. */
  commit(): void;
  /** Sends what was committed, as far as the network takes it; the rest is sent later, in order. */
  flush(): void;
}
