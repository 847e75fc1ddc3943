/** ModelFunction: the registers and interrupts of the function that is served, as its client must find them. */

/** What a descriptor leads to. */
export interface ModelFile {
  readonly kind: 'memory' | 'event' | 'other';
  /** In bytes. */
  readonly size: number;
  readonly isWritable: boolean;
  /** Of memory, what must be in it; of all descriptors to the same file the same array. */
  readonly expected: Uint8Array;
  /** Of an eventfd, how often it must have been signalled. */
  signals: number;
}

/** Of the function: registers that only clients write, but for these. */
export const REGISTERS = {
  /** BARs 0 and 2, in bytes; and configuration space, which is region 7. */
  sizes: new Map([
    [0, 0x400],
    [2, 0x4_0000],
    [7, 256],
  ]),
  /** In BAR 0: a write signals the vector of the lowest three bits. */
  signal: 0x20,
  /** In BAR 0: bit 0 is the level of INTx. */
  level: 0x24,
  /** In BAR 0: a write makes the function throw. */
  fail: 0x3fc,
} as const;

export class ModelFunction {
  readonly interrupts = new ModelInterrupts();
  /** It threw: the connection ends. */
  hasFailed = false;
  readonly registers = new Map(
    [...REGISTERS.sizes].map(([at, size]) => [at, new Uint8Array(size)]),
  );

  regionSize(region: number): number {
    return REGISTERS.sizes.get(region) ?? 0;
  }

  /** @returns undefined when not all of it is there */
  read(region: number, offset: number, count: number): Uint8Array | undefined {
    if (count === 0 || offset + count > this.regionSize(region)) return undefined;
    return this.registers.get(region)!.slice(offset, offset + count);
  }

  /** @returns false when not all of it is there */
  write(region: number, offset: number, data: Uint8Array): boolean {
    if (data.length === 0 || offset + data.length > this.regionSize(region)) return false;
    for (let done = 0; done < data.length && !this.hasFailed; ) {
      const width = widthAt(offset + done, data.length, done);
      this.#writeOne(region, offset + done, data.subarray(done, done + width));
      done += width;
    }
    return true;
  }

  reset(): void {
    for (const bytes of this.registers.values()) bytes.fill(0);
    this.interrupts.reset();
  }

  #writeOne(region: number, offset: number, data: Uint8Array): void {
    if (region === 0 && offset === REGISTERS.fail) {
      this.hasFailed = true;
      return;
    }
    this.registers.get(region)!.set(data, offset);
    if (region === 0 && offset === REGISTERS.signal) this.interrupts.act(2, data[0]! & 7, 0x20);
    if (region === 0 && offset === REGISTERS.level) this.interrupts.setLevel((data[0]! & 1) !== 0);
  }
}

/** An access as wide as a register is one; all others are cut where they are aligned. */
function widthAt(offset: number, count: number, done: number): number {
  if ([1, 2, 4].includes(count)) return count;
  if (offset % 4 === 0 && count - done >= 4) return 4;
  return offset % 2 === 0 && count - done >= 2 ? 2 : 1;
}

/** INTx is index 0, MSI-X index 2 with four vectors. */
class ModelInterrupts {
  readonly #vectors: (ModelFile | undefined)[] = [undefined, undefined, undefined, undefined];
  readonly #waiting = [false, false, false, false];
  #line: ModelFile | undefined;
  #isAsserted = false;
  #isMasked = false;

  set(index: number, vector: number, file?: ModelFile): void {
    if (index === 0) {
      this.#line = file;
      this.#isMasked = false;
      this.#raise();
      return;
    }
    this.#vectors[vector] = file;
    if (file === undefined || !this.#waiting[vector]) return;
    this.#waiting[vector] = false;
    file.signals += 1;
  }

  /** Mask, unmask or trigger. @returns whether this interrupt can do that */
  act(index: number, vector: number, action: number): boolean {
    if (index === 2) {
      if (action !== 0x20) return false;
      const file = this.#vectors[vector];
      if (file !== undefined) file.signals += 1;
      else if (vector < this.#waiting.length) this.#waiting[vector] = true;
      return true;
    }
    if (![8, 0x10, 0x20].includes(action)) return false;
    if (action === 0x20 && this.#line !== undefined) this.#line.signals += 1;
    if (action === 8) this.#isMasked = true;
    if (action === 0x10) {
      this.#isMasked = false;
      this.#raise();
    }
    return true;
  }

  setLevel(isAsserted: boolean): void {
    this.#isAsserted = isAsserted;
    this.#raise();
  }

  reset(): void {
    this.#isAsserted = false;
    this.#waiting.fill(false);
  }

  #raise(): void {
    if (!this.#isAsserted || this.#isMasked || this.#line === undefined) return;
    this.#isMasked = true;
    this.#line.signals += 1;
  }
}
