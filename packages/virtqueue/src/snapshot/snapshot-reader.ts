/** SnapshotReader: reads plain data that may be damaged, and says where it is. */
import { VirtioError } from '../error.ts';
import { fromHex } from './hex.ts';

/** One value of a snapshot. Every method throws VirtioError `SNAPSHOT` when the value is not what it should be. */
export class SnapshotReader {
  readonly #value: unknown;
  readonly #path: string;

  /** @param value of any kind, from anywhere */
  constructor(value: unknown, path = 'snapshot') {
    this.#value = value;
    this.#path = path;
  }

  get isNull(): boolean {
    return this.#value === null;
  }

  field(name: string): SnapshotReader {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
      this.refuse(`has no ${name}`);
    }
    return new SnapshotReader((value as Record<string, unknown>)[name], `${this.#path}.${name}`);
  }

  /** The field `version` of a form. @param newest that this release writes */
  version(newest: number): number {
    const version = this.field('version').integer(1, Number.MAX_SAFE_INTEGER);
    if (version > newest) {
      this.refuse(
        `is of version ${version}, and this release reads up to ${newest}: use a later one`,
      );
    }
    return version;
  }

  /** @param low the least, `high` the largest that it may be */
  integer(low: number, high: number): number {
    const value = this.#value;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < low || value > high) {
      this.refuse(`is no whole number from ${low} to ${high}`);
    }
    return value;
  }

  boolean(): boolean {
    if (typeof this.#value !== 'boolean') this.refuse('is neither true nor false');
    return this.#value;
  }

  /** A mask of at most 128 bits. */
  mask(): bigint {
    const value = this.#value;
    if (typeof value !== 'string' || !/^0x[0-9a-f]{1,32}$/.test(value)) this.refuse('is no mask');
    return BigInt(value);
  }

  /** @param length that they must have, or at most have when `shortest` is given */
  bytes(length: number, shortest = length): Uint8Array<ArrayBuffer> {
    const bytes = typeof this.#value === 'string' ? fromHex(this.#value) : undefined;
    if (bytes === undefined || bytes.length > length || bytes.length < shortest) {
      this.refuse(`is no text for ${length} bytes`);
    }
    return bytes;
  }

  /** Whole numbers from 0 to 2^53 - 1. */
  integers(most: number): readonly number[] {
    const values = this.#list(most);
    if (!values.every((value) => Number.isSafeInteger(value) && (value as number) >= 0)) {
      this.refuse('has something else than whole numbers from 0 on');
    }
    return values as readonly number[];
  }

  items(most: number): readonly SnapshotReader[] {
    return this.#list(most).map(
      (item, index) => new SnapshotReader(item, `${this.#path}[${index}]`),
    );
  }

  /** @throws VirtioError `SNAPSHOT` */
  refuse(problem: string): never {
    throw new VirtioError(
      'SNAPSHOT',
      `${this.#path} ${problem}; nothing was restored: take a whole snapshot of a device with the same options`,
    );
  }

  #list(most: number): readonly unknown[] {
    if (!Array.isArray(this.#value) || this.#value.length > most) {
      this.refuse(`is no list of at most ${most}`);
    }
    return this.#value;
  }
}
