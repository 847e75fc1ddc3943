/** EventTarget: endpoints that reach for what is not theirs, while the driver gives event buffers, or not, and resets. */
import { InputReader } from '../../engine/input-reader.ts';
import type { FuzzTarget } from '../../engine/target.ts';
import { createMemories } from '../../memory/layouts.ts';
import { DmaRun } from './dma-run.ts';
import { IommuRun } from './iommu-run.ts';
import { RequestWriter } from './request-writer.ts';

/** Of one input. */
const OPERATIONS_MAX = 32;

export class EventTarget implements FuzzTarget {
  readonly #memories = createMemories();
  readonly #input = new InputReader();
  readonly #operationsMax: number;

  constructor(operationsMax = OPERATIONS_MAX) {
    this.#operationsMax = operationsMax;
  }

  run(bytes: Uint8Array): number {
    const input = this.#input;
    input.begin(bytes);
    const run = new IommuRun(input, this.#memories);
    const writer = new RequestWriter(input, run);
    const dma = new DmaRun(run);
    for (let left = this.#operationsMax; left > 0 && !input.isAtEnd; left -= 1) {
      this.#operate(run, writer, dma);
    }
    run.end();
    dma.end();
    return outcomeOf(run, dma);
  }

  #operate(run: IommuRun, writer: RequestWriter, dma: DmaRun): void {
    const input = this.#input;
    switch (input.byte() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
        writer.request();
        break;
      case 4:
      case 5:
        dma.refill(input);
        break;
      case 6:
        dma.toggleEndpoint(8 + (input.byte() % 4));
        break;
      case 7:
        run.hasEvents = input.byte() < 0xc0;
        break;
      case 8:
        if (input.byte() >= 0xc0) run.reset(input.byte() % 2 === 0);
        break;
      case 9:
        if (!run.isUp) run.activate();
        else if (input.byte() < 0x80) run.save();
        else dma.restore();
        break;
      case 10:
        run.writeBypass(input.byte() % 4);
        break;
      case 11:
        dma.accessDead(this.#address(run, writer));
        break;
      default: {
        run.answerAll();
        const code = input.byte();
        const address = this.#address(run, writer);
        dma.access(8 + (code % 4), address, input.byte(), 1 + ((code >> 2) % 3), code >> 6);
        break;
      }
    }
  }

  /** Near what was mapped last, or where there is memory. */
  #address({ guest }: IommuRun, { last }: RequestWriter): number {
    const code = this.#input.byte();
    switch (code % 6) {
      case 0:
        return Math.max(last.start - (code >> 4), 0);
      case 1:
        return last.start + (code >> 4);
      case 2:
        return Math.max(last.end - (code >> 4), 0);
      case 3:
        return guest.home + code * 64;
      case 4:
        return this.#input.word32();
      default:
        return Number.MAX_SAFE_INTEGER - code * 64;
    }
  }
}

/** Roughly how many faults there were, what became of them, and what was answered. */
function outcomeOf(run: IommuRun, dma: DmaRun): number {
  const dropped = dma.faults - dma.delivered;
  return (
    (run.statuses & 0x3ff) |
    (Math.min(dma.delivered, 3) << 10) |
    (Math.min(dropped, 3) << 12) |
    (Math.min(run.model.mappings.length, 3) << 14)
  );
}
