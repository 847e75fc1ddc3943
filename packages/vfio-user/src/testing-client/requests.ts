/** Requests of the commands with fixed fields, as the protocol's tables lay them out. */
import { fields, message } from './test-client.ts';

export function dmaMapRequest(
  address: number | bigint,
  size: number | bigint,
  flags: number,
  offset: number | bigint = 0,
): Uint8Array {
  return message(2, 2, fields([4, 32], [4, flags], [8, offset], [8, address], [8, size]));
}

export function dmaUnmapRequest(
  address: number | bigint,
  size: number | bigint,
  flags = 0,
): Uint8Array {
  return message(3, 3, fields([4, 24], [4, flags], [8, address], [8, size]));
}

export function setIrqsRequest(
  flags: number,
  index: number,
  start: number,
  count: number,
): Uint8Array {
  return message(8, 8, fields([4, 20], [4, flags], [4, index], [4, start], [4, count]));
}

export function regionReadRequest(offset: number, region: number, count: number): Uint8Array {
  return message(9, 9, fields([8, offset], [4, region], [4, count]));
}

export function postedWriteRequest(offset: number, region: number, value: number): Uint8Array {
  return message(10, 10, fields([8, offset], [4, region], [4, 4], [4, value]), 0x10);
}

/** The errno of a reply, 0 for success. */
export function errnoOf(reply: Uint8Array | undefined): number {
  const view = new DataView(reply!.buffer, reply!.byteOffset);
  return (view.getUint32(8, true) & 0x20) === 0 ? 0 : view.getUint32(12, true);
}
