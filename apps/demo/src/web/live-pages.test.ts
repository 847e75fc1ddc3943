/** What pages that watch a machine are told: late ones, slow ones, many, and all of them at the end. */
import { decodeTold, type InspectorUpdate, isAnswer, type WalkAnswer } from '@viommu/inspector';
import { describe, expect, it } from 'vitest';
import { WANTS_CHANGES, WANTS_WHOLE } from '../server/watch-board.ts';
import { LivePages, type PageSocket } from './live-pages.ts';

const MEBIBYTE = 1 << 20;

const NOTHING = {
  operation: 0,
  changes: [],
  requests: [],
  faults: [],
  accesses: [],
  traffic: [],
  queues: [],
  latency: [],
  steps: [],
};
const changesAt = (time: number): InspectorUpdate => ({ ...NOTHING, time });
const wholeAt = (time: number) => ({ ...changesAt(time), topology: { iommus: [], endpoints: [] } });

const QUERY = { iommu: 0, endpoint: 40, address: 4096, access: 1 };
/** Tells by its number which one it is. */
const answer = (query: WalkAnswer['query'], number: number): WalkAnswer => ({
  query,
  walk: {
    ...query,
    ...{ domain: 1, bypass: false, stage1: undefined, stage2: undefined, refused: undefined },
    guestPhysical: Math.floor(number / 3),
  },
});

/** A socket whose peer reads when the test says so. */
class FakeSocket implements PageSocket {
  /** Bytes that a message takes, as if it were as large. */
  size = 1;
  readonly got: string[] = [];
  closed: string | undefined;
  isTerminated = false;
  bufferedAmount = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #listeners = new Map<string, (data: unknown) => void>();

  send(text: string, sent: () => void): void {
    this.got.push(text);
    this.bufferedAmount += this.size;
    this.#waiting.push(sent);
  }

  on(event: string, listener: (data: unknown) => void): void {
    this.#listeners.set(event, listener);
  }

  close(code?: number, reason?: unknown): void {
    this.closed = `${code} ${reason}`;
  }

  terminate(): void {
    this.isTerminated = true;
    this.happens('close');
  }

  happens(event: 'close' | 'message', data?: string): void {
    this.#listeners.get(event)?.(data);
  }

  read(): void {
    this.bufferedAmount = 0;
    for (const sent of this.#waiting.splice(0)) sent();
  }
}

function setting(count: number) {
  const pages = new LivePages();
  const sockets = Array.from({ length: count }, () => new FakeSocket());
  for (const socket of sockets) pages.add(socket);
  /** What the machine's thread would find, and take. */
  const asked = () => pages.board.takeWants();
  let number = 0;
  /** Does what that thread does; the number of the round is the time that it tells. */
  const round = () => {
    const wanted = asked();
    number += 1;
    const changes = wanted & WANTS_CHANGES ? changesAt(number) : undefined;
    const whole = wanted & WANTS_WHOLE ? wholeAt(number) : undefined;
    const walks = pages.board.queries().map((query) => query && answer(query, number));
    pages.take({ type: 'watched', changes, whole, walks });
  };
  return { pages, sockets, asked, round };
}

/** Such as `whole 1`, or `answer 1 of 4096`. */
const words = ({ got }: FakeSocket) =>
  got.map((text) => {
    const told = decodeTold(text);
    if (isAnswer(told)) return `answer ${told.walk!.guestPhysical} of ${told.query.address}`;
    const { time, topology } = told;
    return `${topology === undefined ? 'changes' : 'whole'} ${time}`;
  });

describe('the pages that watch a machine', () => {
  it('ask for nothing while there is none', () => {
    expect(setting(0).asked()).toBe(0);
  });

  it('are told all first, then what changes, also those that come late', () => {
    const { pages, sockets, round } = setting(1);
    round();
    round();
    const late = new FakeSocket();
    pages.add(late);
    round();
    round();
    expect(words(sockets[0]!)).toEqual(['whole 1', 'changes 2', 'changes 3', 'changes 4']);
    expect(words(late)).toEqual(['whole 3', 'changes 4']);
  });

  it('miss nothing when one comes while a message is under way', () => {
    const { pages, sockets, asked, round } = setting(1);
    const [first] = sockets as [FakeSocket];
    round();
    first.read();
    expect(asked()).toBe(WANTS_CHANGES);
    const late = new FakeSocket();
    pages.add(late);
    expect(asked()).toBe(WANTS_CHANGES | WANTS_WHOLE);
    pages.take({ type: 'watched', changes: changesAt(2), whole: undefined, walks: [] });
    pages.take({ type: 'watched', changes: changesAt(3), whole: wholeAt(3), walks: [] });
    expect(words(first)).toEqual(['whole 1', 'changes 2', 'changes 3']);
    expect(words(late)).toEqual(['whole 3']);
  });

  it('lets a slow one miss changes, and tells it all when it has read what waited', () => {
    const { sockets, asked, round } = setting(2);
    const [slow, quick] = sockets as [FakeSocket, FakeSocket];
    round();
    slow.size = MEBIBYTE;
    for (let count = 0; count < 40; count += 1) {
      round();
      quick.read();
    }
    // What waits for it does not grow.
    expect(slow.bufferedAmount).toBeLessThan(18 * MEBIBYTE);
    expect(quick.got.length).toBe(41);
    expect(asked()).toBe(WANTS_CHANGES);
    slow.read();
    round();
    expect(words(slow).at(-1)).toBe('whole 42');
    expect(words(quick).at(-1)).toBe('changes 42');
    quick.read();
    round();
    expect(words(slow).at(-1)).toBe('changes 43');
    expect(words(quick).at(-1)).toBe('changes 43');
  });

  it('are 8 at most, and say nothing but what they ask', () => {
    const { pages, sockets } = setting(9);
    expect(sockets.map(({ closed }) => closed?.slice(0, 4))).toEqual([
      ...new Array(8).fill(undefined),
      '1013',
    ]);
    sockets[3]!.happens('message', '{"iommu":0,"endpoint":40,"address":4096,"access":3}');
    expect(sockets[3]!.closed).toMatch(/^1008/);
    sockets[3]!.happens('close');
    const next = new FakeSocket();
    pages.add(next);
    expect(next.closed).toBeUndefined();
  });

  it('get the answers of what they ask, each its own, behind the update, and when it is another one', () => {
    const { sockets, pages, round } = setting(2);
    const [first, second] = sockets as [FakeSocket, FakeSocket];
    first.happens('message', JSON.stringify(QUERY));
    for (let count = 0; count < 3; count += 1) round();
    second.happens('message', JSON.stringify({ ...QUERY, address: 8192 }));
    round();
    expect(words(first)).toEqual([
      ...['whole 1', 'answer 0 of 4096', 'changes 2'],
      ...['changes 3', 'answer 1 of 4096', 'changes 4'],
    ]);
    expect(words(second)).toEqual([
      ...['whole 1', 'changes 2', 'changes 3', 'changes 4', 'answer 1 of 8192'],
    ]);
    // Whoever gets the place has asked nothing yet.
    first.happens('close');
    pages.add(new FakeSocket());
    expect(pages.board.queries().map((query) => query?.address)).toEqual([
      ...[undefined, 8192],
      ...new Array(6).fill(undefined),
    ]);
  });

  it('are told why it ends, and are not waited for when they do not read', async () => {
    const { pages, sockets } = setting(2);
    const ended = pages.end('all over');
    sockets[0]!.happens('close');
    expect(sockets[0]!.closed).toBe('1001 all over');
    await ended;
    expect([sockets[0]!.isTerminated, sockets[1]!.isTerminated]).toEqual([false, true]);
    const late = new FakeSocket();
    pages.add(late);
    expect(late.closed).toBe('1001 all over');
  });
});
