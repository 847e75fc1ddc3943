/** JsonReader: takes the fields of an object that somebody else wrote, one by one; an error names the field. */
import { CommandError } from '../command-error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export class JsonReader {
  readonly object: JsonObject;
  readonly #what: string;
  readonly #taken = new Set<string>();

  /**
   * @param what it is, for messages
   * @throws {CommandError} when the value is no object
   */
  constructor(value: unknown, what: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new CommandError(`${what} is an object, {...}`);
    }
    this.object = value as JsonObject;
    this.#what = what;
  }

  /** Undefined when the field is not there. */
  optional<T>(name: string, read: () => T): T | undefined {
    return this.#take(name) === undefined ? undefined : read();
  }

  /** @throws {CommandError} */
  integer(name: string, low: number, high: number): number {
    const value = this.#take(name);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= low && value <= high) {
      return value;
    }
    throw this.#wrong(name, `a number from ${low} to ${high}`);
  }

  /** A number is taken, too. @throws {CommandError} */
  text(name: string): string {
    const value = this.#take(name);
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return String(value);
    throw this.#wrong(name, 'a text');
  }

  /** @throws {CommandError} */
  choice<const T extends string>(name: string, choices: readonly T[]): T {
    const value = this.#take(name);
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw this.#wrong(name, `one of ${choices.join(', ')}`);
  }

  /** @throws {CommandError} */
  items(name: string): readonly unknown[] {
    const value = this.#take(name);
    if (Array.isArray(value)) return value;
    throw this.#wrong(name, 'a list, [...]');
  }

  /** @throws {CommandError} when there are fields that nobody has taken */
  end(): void {
    const left = Object.keys(this.object).find((name) => !this.#taken.has(name));
    if (left !== undefined) throw new CommandError(`${this.#what} has no "${left.slice(0, 40)}"`);
  }

  #take(name: string): unknown {
    this.#taken.add(name);
    return Object.hasOwn(this.object, name) ? this.object[name] : undefined;
  }

  #wrong(name: string, wanted: string): CommandError {
    return new CommandError(`${this.#what}: "${name}" has to be ${wanted}`);
  }
}
