/** Turns, and contestants that fail. */
import { describe, expect, it } from 'vitest';
import { holdContest, timeByTurns } from './contest.ts';

const OPTIONS = { batches: 4, batchMilliseconds: 1, warmUpMilliseconds: 1, multiple: 1 };

it('lets both run by turns, every second round in reverse order, with their own numbers of operations', async () => {
  const order: string[] = [];
  const contestant = (name: string, nanoseconds: number) => ({
    run(operations: number): Promise<number> {
      order.push(name);
      return Promise.resolve(operations * nanoseconds);
    },
  });
  const spreads = await timeByTurns([contestant('ours', 100), contestant('theirs', 400)], OPTIONS);
  expect(order.slice(-8).join(' ')).toBe('ours theirs theirs ours ours theirs theirs ours');
  expect(spreads).toEqual([
    { median: 100, min: 100, max: 100 },
    { median: 400, min: 400, max: 400 },
  ]);
});

describe('a contestant that fails', () => {
  /** Node.js as the contestant; the code stands where WORK would. */
  const run = (code: string) =>
    holdContest([{ name: 'theirs', program: [process.execPath, '-e'], work: [code] }], OPTIONS);

  it('is named when it does not start', async () => {
    const command = { name: 'rust', program: ['/nowhere/contestant'], work: ['ring'] };
    await expect(holdContest([command], OPTIONS)).rejects.toThrow(
      /^rust \(ring\) ended early.*ENOENT/,
    );
  });

  it('is named with what it said, and only that', async () => {
    const code = 'console.error("warning"); console.error("unknown work"); process.exit(2)';
    await expect(run(code)).rejects.toThrow(/^theirs .* ended early: unknown work$/);
  });

  it('is named when it does not say that it is ready', async () => {
    await expect(run('console.log("hello")')).rejects.toThrow(/said "hello" instead of "ready"/);
  });

  it('is named when it answers no nanoseconds', async () => {
    const code = 'console.log("ready"); process.stdin.on("data", () => console.log("fast"))';
    await expect(run(code)).rejects.toThrow(/said "fast" instead of nanoseconds/);
  });

  it('is named when it finds at the end that something was not done', async () => {
    const code = `console.log('ready');
      process.stdin.on('data', (line) => console.log(1e6 * Number(String(line).split(' ')[1])));
      process.stdin.on('end', () => { console.error('a chain was lost'); process.exit(1); })`;
    await expect(run(code)).rejects.toThrow(/did not end well: a chain was lost$/);
  });
});
