/** When a page is told what, on the side of the machine; and that what it is told is what the devices have. */

import { MachineView } from '@viommu/inspector';
import { RequestDriver } from '@viommu/iommu-core/testing';
import { createMachine, type Machine, pciEndpoint } from '@viommu/machine';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PageFeed } from './page-feed.ts';
import type { WatchedMessage } from './server-messages.ts';
import { BOARD_PLACES, WANTS_CHANGES, WANTS_WHOLE, WatchBoard } from './watch-board.ts';

const RNG = 0x28;
const PAGE = 4096;
const DESCRIPTION = {
  iommus: [{ place: { bus: 'pci', bdf: 0x20 }, bootBypass: false }],
  devices: [{ kind: 'rng', ...pciEndpoint(RNG) }],
  msiWindows: [],
} as const;

let machine: Machine;
let driver: RequestDriver;
let feed: PageFeed;
let board: WatchBoard;
let told: WatchedMessage[];
/** Milliseconds that it takes. */
let telling: number;
/** Whether an injector holds answers back. */
let isHeld: boolean;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'], now: 0 });
  board = new WatchBoard();
  told = [];
  telling = 0;
  isHeld = false;
  feed = new PageFeed(DESCRIPTION, board, (message) => {
    told.push(message);
    vi.advanceTimersByTime(telling);
  });
  machine = createMachine(DESCRIPTION, {
    parts: {
      openDisk: () => Promise.reject(new Error('no disks')) as never,
      openNetwork: () => Promise.reject(new Error('no networks')) as never,
      fillRandom() {},
    },
    observe: feed.observe,
    observeQueues: feed.observeQueues,
    inject: () => ({
      request(_record, verdict) {
        verdict.isHeld = isHeld;
      },
    }),
  });
  feed.open(machine);
  driver = new RequestDriver(machine.iommus[0]!.device);
});

afterEach(() => {
  machine.close();
  vi.useRealTimers();
});

/** Time passes, and the server's thread has a round. */
function round(milliseconds: number): void {
  vi.advanceTimersByTime(milliseconds);
  feed.work();
}

function mapped(): number[] {
  const [domain] = machine.iommus[0]!.device.snapshot().domains;
  return [...(domain?.mappings ?? [])];
}

function seen(view: MachineView): number[] {
  return [...(view.domain(0, 1)?.mappings ?? [])].flatMap((one) => [
    one.virtStart,
    one.virtEnd,
    one.physStart,
    one.flags,
  ]);
}

/** One value for each place on the board. */
function places(place: number, value: number): (number | undefined)[] {
  return Array.from({ length: BOARD_PLACES }, (_, index) => (index === place ? value : undefined));
}

describe('the feed of a page', () => {
  it('tells nothing that nobody has asked for', () => {
    driver.attach(1, RNG);
    for (let count = 0; count < 20; count += 1) round(100);
    expect(told).toEqual([]);
  });

  it('tells all, then what has changed, as the devices have it', () => {
    driver.attach(1, RNG);
    driver.map(1, 0, 4 * PAGE - 1, 0x10000, 3);
    vi.advanceTimersByTime(7);
    driver.map(1, 8 * PAGE, 9 * PAGE - 1, 0x20000, 1);
    const view = new MachineView();
    board.want(WANTS_WHOLE);
    round(100);
    expect(told[0]).toMatchObject({ changes: undefined });
    view.apply(told[0]!.whole!);
    expect(view.topology.endpoints.map(({ name }) => name)).toEqual(['rng']);
    expect(seen(view)).toEqual(mapped());
    expect(view.requests.map(({ time }) => time)).toEqual([0, 0, 7000]);
    expect(told[0]!.whole!.queues.map(({ device, name }) => `${device} ${name}`)).toEqual([
      'iommu requestq',
      'iommu eventq',
      'rng requestq',
    ]);

    driver.unmap(1, 0, 4 * PAGE - 1);
    board.want(WANTS_CHANGES);
    round(100);
    expect(told[1]).toMatchObject({ whole: undefined });
    view.apply(told[1]!.changes!);
    expect(mapped().length).toBe(4);
    expect(seen(view)).toEqual(mapped());
    expect(view.requests.length).toBe(4);
  });

  it('tells those who know and those who come the same moment', () => {
    board.want(WANTS_WHOLE);
    round(100);
    const early = new MachineView();
    early.apply(told[0]!.whole!);
    driver.attach(1, RNG);
    driver.map(1, 0, PAGE - 1, 0x10000, 3);
    board.want(WANTS_CHANGES | WANTS_WHOLE);
    round(100);
    const late = new MachineView();
    early.apply(told[1]!.changes!);
    late.apply(told[1]!.whole!);
    expect(seen(early)).toEqual(mapped());
    expect(late).toEqual(early);
    expect(late.requests).toEqual(early.requests);
  });

  it('tells at most every 100 ms, and says when it wants to be called again', () => {
    for (let count = 0; count < 50; count += 1) {
      board.want(WANTS_CHANGES);
      round(10);
    }
    expect(told.length).toBe(5);
    vi.advanceTimersByTime(3);
    expect(feed.work()).toBe(7);
  });

  it('takes a fifth of the time of the devices, however long it takes to tell', () => {
    telling = 80;
    for (let count = 0; count < 100; count += 1) {
      board.want(WANTS_WHOLE);
      round(10);
    }
    // A second has passed between them, and what was told.
    expect(told.length).toBe(3);
  });

  it('walks through what is asked, as it is at the moment of what is told, and nothing before', () => {
    driver.attach(1, RNG);
    driver.map(1, 0, PAGE - 1, 0x10000, 1);
    const query = { iommu: 0, endpoint: RNG, address: 0x123, access: 1 };
    board.ask(3, query);
    round(100);
    expect(told).toEqual([]);
    const walkAt = (number: number) => told[number]!.walks.map((one) => one?.walk?.guestPhysical);
    board.want(WANTS_WHOLE);
    round(100);
    expect(told[0]!.walks[3]!.query).toEqual(query);
    expect(walkAt(0)).toEqual(places(3, 0x10123));
    driver.unmap(1, 0, PAGE - 1);
    board.ask(0, { ...query, endpoint: 0x29 });
    board.want(WANTS_CHANGES);
    round(100);
    expect(told[1]!.walks[3]!.walk).toMatchObject({
      domain: 1,
      refused: 'nothing is mapped there',
    });
    expect(told[1]!.walks[0]).toEqual({
      query: { ...query, endpoint: 0x29 },
      walk: undefined,
    });
    board.ask(0);
    board.ask(3);
    board.want(WANTS_CHANGES);
    round(100);
    expect(told[2]!.walks).toEqual(places(-1, 0));
  });

  it('tells how it ends, whoever has asked', () => {
    driver.attach(1, RNG);
    driver.map(1, 0, PAGE - 1, 0x10000, 3);
    feed.finish();
    expect(told.length).toBe(1);
    for (const update of [told[0]!.changes!, told[0]!.whole!]) {
      const view = new MachineView();
      view.apply(update);
      expect(seen(view)).toEqual([0, PAGE - 1, 0x10000, 3]);
      expect(view.isBeforeReset).toBe(false);
    }
  });

  it.each([
    ['by the guest or its end', false],
    ['and used again', true],
  ])('tells at the end what was mapped last, when the IOMMU was reset %s', (_name, isUsedAgain) => {
    const { device } = machine.iommus[0]!;
    const view = new MachineView();
    driver.attach(1, RNG);
    driver.map(1, 0, PAGE - 1, 0x10000, 3);
    board.want(WANTS_WHOLE);
    round(100);
    view.apply(told[0]!.whole!);
    device.reset();
    device.reset();
    board.want(WANTS_CHANGES);
    round(100);
    view.apply(told[1]!.changes!);
    expect(view.domains).toEqual([]);
    driver = new RequestDriver(device);
    if (isUsedAgain) driver.attach(2, RNG);
    feed.finish();
    view.apply(told[2]!.changes!);
    expect(view.domains.map(({ domain }) => domain)).toEqual([isUsedAgain ? 2 : 1]);
    if (!isUsedAgain) expect(seen(view)).toEqual([0, PAGE - 1, 0x10000, 3]);
    expect(view.isBeforeReset).toBe(!isUsedAgain);
  });

  it('tells all while an answer is held back', () => {
    driver.attach(1, RNG);
    isHeld = true;
    const readable = [3, 0, 0, 0, 1, 0, 0, 0, ...new Array<number>(28).fill(0)];
    driver.send(readable);
    board.want(WANTS_WHOLE);
    round(100);
    expect(told[0]!.whole!.domains).toMatchObject([{ domain: 1, endpoints: [RNG] }]);
  });
});
