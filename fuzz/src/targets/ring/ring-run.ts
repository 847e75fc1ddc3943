/** RingRun: one queue under test beside its model, and what must hold after each operation. */
import { createDescriptorChain, type DescriptorChain } from '@viommu/virtqueue';
import { violated } from '../../engine/invariant.ts';
import type { ModelChain, RingModel } from '../../models/ring-model.ts';
import type { RetiringQueue, RingFormat } from './ring-format.ts';
import { areas, isAllThere, type RingScene } from './ring-scene.ts';

/** An operation costs at most this many accesses per descriptor of the queue, and some whatever its size. */
const ACCESSES_PER_DESCRIPTOR = 4;
const ACCESSES = 32;

/** By capacity: arrays as long as a queue is large are not made for each input. */
const CHAINS = new Map<number, DescriptorChain>();

/** A buffer that the device has. */
interface HeldBuffer {
  readonly head: number;
  length: number;
}

export class RingRun {
  readonly queue: RetiringQueue;
  /** In the order in which they were popped. */
  readonly held: HeldBuffer[] = [];
  popped = 0;
  longest = 0;
  interrupts = 0;
  reasons = 0;
  /** undefined when something happens that the model knows nothing of: invariants are left. */
  model: RingModel | undefined;
  readonly #scene: RingScene;
  readonly #format: RingFormat;
  readonly #chain: DescriptorChain;
  #isRetired = false;
  /** The queue was seen to be broken: not a byte changes any more. */
  #isDead = false;

  constructor(scene: RingScene, format: RingFormat) {
    const { guest, place } = scene;
    this.#scene = scene;
    this.#format = format;
    this.#chain = chainOf(place.size);
    this.queue = format.createQueue({
      index: 0,
      memory: guest.memory,
      ...place,
      onBroken: () => {
        this.reasons += 1;
      },
    });
    if (this.queue.broken === scene.isLegal) {
      violated(`a queue whose place is ${scene.isLegal ? '' : 'not '}legal begins otherwise`);
    }
    if (scene.isLegal && isAllThere(scene, format)) {
      this.model = format.createModel(guest.arena, place);
    }
    this.#afterwards();
  }

  /** @returns whether there was a buffer */
  pop(): boolean {
    const chain = this.#chain;
    const done = this.#operate(() => this.queue.pop(chain));
    if (done) {
      if (this.queue.broken) violated('a broken queue gives a buffer out');
      this.#checkChain(chain);
      this.held.push({ head: chain.head, length: 0 });
      this.popped += 1;
      this.longest = Math.max(this.longest, chain.count);
    }
    if (this.model !== undefined) this.#compare(done ? chain : undefined, this.model.pop());
    this.#afterwards();
    return done;
  }

  /** Gives the buffers back that stand in `held` from `index` on. */
  push(index: number, count: number, length: number): void {
    const { queue } = this;
    if (this.held.length === 0 && count > 0) return;
    const buffers = this.held.splice(index, count);
    for (const buffer of buffers) buffer.length = length;
    // Whether the used index is written once more when nothing is given back is nobody's business.
    if (count === 0) this.dropModel();
    if (buffers.length === 1) {
      this.#operate(() => queue.pushUsed(buffers[0]!.head, length));
    } else {
      const heads = Uint16Array.from(buffers, ({ head }) => head);
      const lengths = new Uint32Array(buffers.length).fill(length);
      this.#operate(() => queue.pushUsedTogether(heads, lengths, buffers.length));
    }
    this.model?.pushUsedTogether(buffers);
    this.#afterwards();
  }

  shouldInterrupt(): void {
    const wanted = this.#operate(() => this.queue.shouldInterrupt());
    const expected = this.model?.shouldInterrupt();
    if (expected !== undefined && wanted !== expected) violated(`interrupt: ${wanted}`);
    if (wanted && this.queue.broken) violated('a broken queue interrupts');
    if (wanted) this.interrupts += 1;
    this.#afterwards();
  }

  disableNotifications(): void {
    this.#operate(() => this.queue.disableNotifications());
    this.model?.disableNotifications();
    this.#afterwards();
  }

  enableNotifications(): void {
    const isMore = this.#operate(() => this.queue.enableNotifications());
    const expected = this.model?.enableNotifications();
    if (expected !== undefined && isMore !== expected)
      violated(`buffers came meanwhile: ${isMore}`);
    if (isMore && this.queue.broken) violated('a broken queue has buffers');
    this.#afterwards();
  }

  /** The driver takes the queue back. */
  retire(): void {
    this.queue.retire();
    this.#isRetired = true;
    this.dropModel();
    this.#afterwards();
  }

  /** From now on invariants alone are looked at; up to here memory must be as the model has it. */
  dropModel(): void {
    if (this.model !== undefined) this.#scene.guest.arena.check();
    this.model = undefined;
  }

  /** The model stays as long as all parts are there. */
  keepRegions(count: number): void {
    this.#settle();
    this.#scene.guest.arena.keepRegions(count);
    if (this.model !== undefined && !isAllThere(this.#scene, this.#format)) this.dropModel();
  }

  /** The driver takes it back while the device waits for memory. */
  retireWithin(): void {
    this.queue.retire();
    this.#isRetired = true;
  }

  end(): void {
    this.#settle();
    this.#scene.guest.arena.check();
  }

  #operate<Answer>(operation: () => Answer): Answer {
    const { memory } = this.#scene.guest;
    const before = memory.accesses;
    const wasBroken = this.queue.broken;
    const answer = operation();
    const accesses = memory.accesses - before;
    if (wasBroken && (accesses > 0 || answer === true)) violated('a broken queue does something');
    if (accesses > ACCESSES + ACCESSES_PER_DESCRIPTOR * this.#scene.place.size) {
      violated(`${accesses} accesses in one operation`);
    }
    return answer;
  }

  #checkChain(chain: DescriptorChain): void {
    const { size } = this.#scene.place;
    const { count, readableCount, head } = chain;
    if (count < 1 || count > size) violated(`a chain of ${count} segments`);
    if (readableCount < 0 || readableCount > count)
      violated(`${readableCount} of ${count} readable`);
    if (!Number.isInteger(head) || head < 0 || head >= size) violated(`a head of ${head}`);
    let readable = 0;
    let writable = 0;
    for (let index = 0; index < count; index += 1) {
      const address = chain.addresses[index]!;
      if (!Number.isSafeInteger(address) || address < 0) violated(`a segment at ${address}`);
      if (index < readableCount) readable += chain.lengths[index]!;
      else writable += chain.lengths[index]!;
    }
    if (readable !== chain.readableLength || writable !== chain.writableLength) {
      violated(`lengths of ${chain.readableLength} and ${chain.writableLength}`);
    }
    if (readable + writable > 2 ** 32) violated('a chain of more than 2^32 bytes');
  }

  #compare(chain: DescriptorChain | undefined, expected: ModelChain | undefined): void {
    if (chain === undefined || expected === undefined) {
      if (chain !== expected) violated(`a buffer: ${chain !== undefined}`);
      return;
    }
    const { head, segments } = expected;
    if (chain.head !== head) violated(`a head of ${chain.head} in place of ${head}`);
    if (chain.count !== segments.length) violated(`${chain.count} segments of ${segments.length}`);
    segments.forEach(({ address, length, isWritable }, index) => {
      const isSame =
        chain.addresses[index] === address &&
        chain.lengths[index] === length &&
        index >= chain.readableCount === isWritable;
      if (!isSame) violated(`segment ${index} is another`);
    });
  }

  #afterwards(): void {
    const { broken } = this.queue;
    if (this.reasons > 1) violated('broken more than once');
    if (this.reasons === 1 && !broken) violated('broken, and not broken');
    if (broken && this.reasons === 0 && !this.#isRetired) violated('broken, and nobody was told');
    if (this.model !== undefined && this.model.broken !== broken) violated(`broken: ${broken}`);
    if (broken && !this.#isDead) {
      this.end();
      this.#isDead = true;
    }
  }

  /** Without a model, the device may have written anything where it writes at all. */
  #settle(): void {
    if (this.model !== undefined || this.#isDead) return;
    const { place, guest } = this.#scene;
    areas(place).forEach((address, index) => {
      const { isWritten, length } = this.#format.parts[index]!;
      if (isWritten) guest.arena.admit(address, Math.min(length(place.size), 0x4000));
    });
  }
}

function chainOf(capacity: number): DescriptorChain {
  let chain = CHAINS.get(capacity);
  if (chain === undefined) {
    chain = createDescriptorChain(Math.max(capacity, 1));
    CHAINS.set(capacity, chain);
  }
  return chain;
}
