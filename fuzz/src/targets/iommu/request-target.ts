/** RequestTarget: bytes of any kind, and sequences of requests, on the request queue of a real IOMMU device. */
import { InputReader } from '../../engine/input-reader.ts';
import type { FuzzTarget } from '../../engine/target.ts';
import { createMemories } from '../../memory/layouts.ts';
import { IommuRun } from './iommu-run.ts';
import { RequestWriter } from './request-writer.ts';

/** Of one input. */
const OPERATIONS_MAX = 32;

export class RequestTarget implements FuzzTarget {
  readonly #memories = createMemories();
  readonly #input = new InputReader();

  run(bytes: Uint8Array): number {
    const input = this.#input;
    input.begin(bytes);
    const run = new IommuRun(input, this.#memories);
    const writer = new RequestWriter(input, run);
    for (let left = OPERATIONS_MAX; left > 0 && !input.isAtEnd; left -= 1) {
      this.#operate(run, writer);
    }
    run.end();
    return outcomeOf(run);
  }

  #operate(run: IommuRun, writer: RequestWriter): void {
    const input = this.#input;
    const code = input.byte();
    if (code < 0xc0) {
      writer.request();
      // Where mappings begin and end.
      const { start, end } = writer.last;
      const access = 1 + (code % 3);
      run.translateAll(code & 0x40 ? start : end, 1 + (code % 32) * 8, access);
      if (code & 0x80) run.translateAll(Math.min(end + 1, Number.MAX_SAFE_INTEGER), 1, access);
      return;
    }
    switch (code % 12) {
      case 0:
        run.writeBypass(input.byte() % 4);
        break;
      case 1:
        // Not often: all that was mapped is gone then.
        if (input.byte() >= 0xc0) run.reset(code % 2 === 0);
        break;
      case 2:
        if (input.byte() >= 0xc0) run.reset(true);
        break;
      case 3:
      case 4:
        run.toggleEndpoint(8 + (input.byte() % 4));
        break;
      case 5:
        run.translateAll(input.word32(), 1 + input.word16(), 1 + (input.byte() % 3));
        break;
      case 6:
      case 7:
        writer.raw();
        break;
      case 8:
        run.answerAll();
        break;
      default:
        if (!run.isUp) run.activate();
        else if (input.byte() < 0x80) run.save();
        else run.restore();
        break;
    }
  }
}

/** Which statuses there were, and how much was mapped at the end. */
function outcomeOf(run: IommuRun): number {
  const { mappings, bypass } = run.model;
  const domains = new Set([...run.model.domains.values()].map(({ id }) => id));
  return (
    (run.statuses & 0x3ff) |
    (Math.min(mappings.length, 7) << 10) |
    (Math.min(domains.size, 3) << 13) |
    (bypass ? 1 << 15 : 0)
  );
}
