/** Addresses of 64 bits in tables, as numbers. */
import { ViotError } from './viot-error.ts';

/** @throws ViotError `ADDRESS` for one that no number is exact for */
export function readAddress(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ViotError('ADDRESS', `0x${value.toString(16)} is no address below 2^53`, at);
  }
  return Number(value);
}
