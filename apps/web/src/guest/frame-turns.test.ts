/** Who draws in which frame, where the test says when there is one. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FrameTurns } from './frame-turns.ts';

let callbacks: (() => void)[];
let page: { hidden: boolean };
let done: string[];
let turns: FrameTurns;

beforeEach(() => {
  callbacks = [];
  page = { hidden: false };
  done = [];
  turns = new FrameTurns();
  vi.stubGlobal('document', page);
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => callbacks.push(callback));
});
afterEach(() => vi.unstubAllGlobals());

async function frame(): Promise<void> {
  for (const callback of callbacks.splice(0)) callback();
  await new Promise((resolve) => setTimeout(resolve, 1));
}
const take = (drawer: 'terminal' | 'page', name: string) =>
  turns.take(drawer, () => done.push(name));

it('has one of them in a frame, as often as it likes', () => {
  take('terminal', 't1');
  take('page', 'p1');
  take('terminal', 't2');
  expect(done).toEqual(['t1', 't2']);
});

it('has the other one in the next frame, and neither waits for ever', async () => {
  take('page', 'p1');
  take('terminal', 't1');
  await frame();
  expect(done).toEqual(['p1', 't1']);
  take('page', 'p2');
  take('terminal', 't2');
  expect(done).toEqual(['p1', 't1', 't2']);
  await frame();
  expect(done).toEqual(['p1', 't1', 't2', 'p2']);
});

it('keeps the order of what each of them is told', async () => {
  take('page', 'p1');
  take('terminal', 't1');
  take('terminal', 't2');
  await frame();
  take('page', 'p2');
  take('terminal', 't3');
  take('page', 'p3');
  for (let count = 0; count < 3; count += 1) await frame();
  expect(done.filter((name) => name.startsWith('t'))).toEqual(['t1', 't2', 't3']);
  expect(done.filter((name) => name.startsWith('p'))).toEqual(['p1', 'p2', 'p3']);
});

it('lets nothing wait in a page that nobody sees, and begins with what does', () => {
  take('page', 'p1');
  take('terminal', 't1');
  page.hidden = true;
  take('terminal', 't2');
  expect(done).toEqual(['p1', 't1', 't2']);
});
