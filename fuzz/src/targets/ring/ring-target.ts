/** RingTarget: a virtqueue whose ring a driver changes in any way between the device's operations, and within them. */

import { InputReader } from '../../engine/input-reader.ts';
import { violated } from '../../engine/invariant.ts';
import type { FuzzTarget } from '../../engine/target.ts';
import { createMemories, type MemoryChoice } from '../../memory/layouts.ts';
import type { RingFormat, RingWriter } from './ring-format.ts';
import { RingRun } from './ring-run.ts';
import { areas, type RingScene, readScene } from './ring-scene.ts';
import { readIndex, readLength } from './values.ts';

/** Of one input. */
const OPERATIONS_MAX = 64;
/** Of a queue of 32768 no more are popped in a row. */
const IN_A_ROW_MAX = 512;
/** Buffers that the device keeps at most; a driver can offer one again and again. */
const HELD_MAX = 256;
/** Of an access at which the driver intervenes. */
const WITHIN_MAX = 16;

export class RingTarget implements FuzzTarget {
  readonly #format: RingFormat;
  readonly #memories: readonly MemoryChoice[] = createMemories();
  readonly #input = new InputReader();

  constructor(format: RingFormat) {
    this.#format = format;
  }

  run(bytes: Uint8Array): number {
    const input = this.#input;
    input.begin(bytes);
    const scene = readScene(input, this.#format, this.#memories);
    const { arena, memory } = scene.guest;
    arena.reset();
    memory.reset();
    const run = new RingRun(scene, this.#format);
    const writer = this.#format.createWriter(arena, scene.place, scene.tables);
    for (let left = OPERATIONS_MAX; left > 0 && !input.isAtEnd; left -= 1) {
      this.#operate(run, writer, scene);
    }
    run.end();
    return outcomeOf(run, scene);
  }

  #operate(run: RingRun, writer: RingWriter, scene: RingScene): void {
    const input = this.#input;
    const { arena, memory } = scene.guest;
    switch (input.byte() % 20) {
      case 0:
      case 1:
      case 2:
        writer.offer(input);
        break;
      case 3:
      case 4:
        run.pop();
        break;
      case 5:
      case 6:
        this.#popAll(run, scene.place.size);
        break;
      case 7:
      case 8:
        this.#push(run, 1, scene);
        break;
      case 9:
        this.#push(run, input.byte() % 5, scene);
        break;
      case 10:
        this.#push(run, HELD_MAX, scene);
        break;
      case 11:
        run.shouldInterrupt();
        break;
      case 12:
        run.enableNotifications();
        break;
      case 13:
        run.disableNotifications();
        break;
      case 14:
      case 15:
        writer.disturb(input);
        break;
      case 16:
        this.#overwrite(scene);
        break;
      case 17:
        this.#changeRegions(run);
        break;
      case 18:
        if (input.byte() === 0xff) run.retire();
        break;
      default: {
        run.dropModel();
        const isRetired = (input.byte() & 0xf) === 0;
        const within = 1 + (input.byte() % WITHIN_MAX);
        const [offset, value] = [input.byte(), input.word32()];
        const at = areas(scene.place)[offset % 3]!;
        memory.interveneAfter(within, () => {
          if (isRetired) run.retireWithin();
          else arena.put(at + (offset >> 2), value, 4);
        });
        break;
      }
    }
  }

  /**
   * "No more than the queue has" come by one move of the available index. What was known before, and one intervention, may
   * each bring as many.
   */
  #popAll(run: RingRun, size: number): void {
    const most = Math.min(3 * size, IN_A_ROW_MAX);
    for (let count = 0; count < most && run.held.length < HELD_MAX; count += 1) {
      if (!run.pop()) return;
    }
    if (most === 3 * size && run.held.length < HELD_MAX && run.pop()) {
      violated('more buffers in a row than the queue has descriptors');
    }
  }

  /** Mostly all are left, but windows are to be asked for anew. Rarely: it costs more than all else here. */
  #changeRegions(run: RingRun): void {
    const code = this.#input.byte();
    if (code >= 0xc0) run.keepRegions(code % 32);
  }

  #push(run: RingRun, count: number, { place }: RingScene): void {
    const index = run.held.length > 0 ? readIndex(this.#input, run.held.length) : 0;
    const first = index % Math.max(run.held.length, 1);
    run.push(first, Math.min(count, place.size), readLength(this.#input, place.size));
  }

  /** Four bytes anywhere near a part of the ring. */
  #overwrite({ guest, place }: RingScene): void {
    const input = this.#input;
    const [which, offset, value] = [input.byte(), input.word16(), input.word32()];
    guest.arena.put(areas(place)[which % 3]! + (offset % 1024), value, 4);
  }
}

/** Which memory, what was negotiated, and roughly what happened. */
function outcomeOf(run: RingRun, { place }: RingScene): number {
  const isFew = (count: number) => Math.min(count, 3);
  const bits = [
    [place.eventIdx ? 1 : 0, 1],
    [place.indirect ? 1 : 0, 1],
    [run.queue.broken ? 1 : 0, 1],
    [run.reasons, 1],
    [run.model === undefined ? 0 : 1, 1],
    [isFew(run.popped), 2],
    [isFew(run.longest), 2],
    [isFew(run.interrupts), 2],
    [isFew(run.held.length), 2],
  ] as const;
  return bits.reduce((outcome, [value, width]) => (outcome << width) | value, 0);
}
