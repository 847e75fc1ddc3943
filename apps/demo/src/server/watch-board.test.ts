/** What is written on the board in one thread is what the other reads. */
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { BOARD_PLACES, WANTS_CHANGES, WANTS_WHOLE, WatchBoard } from './watch-board.ts';

const NONE = new Array(BOARD_PLACES).fill(undefined);

it('has wants until they are taken', () => {
  const board = new WatchBoard();
  const other = new WatchBoard(board.buffer);
  board.want(WANTS_CHANGES);
  board.want(WANTS_WHOLE);
  expect(other.takeWants()).toBe(WANTS_CHANGES | WANTS_WHOLE);
  expect(other.takeWants()).toBe(0);
});

it('has the last question of each place', () => {
  const board = new WatchBoard();
  const other = new WatchBoard(board.buffer);
  expect(other.queries()).toEqual(NONE);
  const query = { iommu: 1, endpoint: 0xffff_ffff, address: Number.MAX_SAFE_INTEGER, access: 2 };
  board.ask(7, { ...query, address: 0 });
  board.ask(7, query);
  board.ask(0, { ...query, access: 1 });
  expect(other.queries()).toEqual([{ ...query, access: 1 }, ...NONE.slice(2), query]);
  board.ask(0);
  expect(other.queries()).toEqual([...NONE.slice(1), query]);
});

it('never shows half of a question, however fast they are asked', async () => {
  const board = new WatchBoard();
  const writer = new Worker(
    `const { workerData } = require('node:worker_threads');
     const words = new Int32Array(workerData, 0, 2);
     const queries = new Float64Array(workerData, 8);
     for (let number = 1; ; number += 1) {
       Atomics.add(words, 1, 1);
       for (let field = 0; field < 4; field += 1) queries[field] = number;
       Atomics.add(words, 1, 1);
     }`,
    { eval: true, workerData: board.buffer },
  );
  try {
    let seen = 0;
    for (const end = performance.now() + 500; performance.now() < end; ) {
      const [query] = board.queries();
      if (query === undefined) {
        // Nothing yet, or somebody writes.
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      seen += 1;
      expect(new Set(Object.values(query)).size).toBe(1);
    }
    expect(seen).toBeGreaterThan(10);
  } finally {
    await writer.terminate();
  }
});
