/** Each work does what it says, and none takes what it does not know; nothing is timed here. */
import { describe, expect, it } from 'vitest';
import { Keys, type Work } from './work.ts';
import { WORKS } from './works.ts';

function create(words: string): Work {
  const [name = '', ...rest] = words.split(' ');
  const keys = new Keys(rest);
  const work = WORKS.get(name)!(keys);
  keys.finish();
  return work;
}

it.each([
  ['ring layout=direct', 300],
  ['ring layout=direct barriers=yes', 128],
  ['ring layout=indirect', 300],
  ['ring layout=packed', 300],
  ['translate count=16 pattern=random', 70_000],
  ['translate count=200 pattern=hot', 1000],
  ['translate count=16 pattern=hot through=memory', 1000],
  ['pair size=4096 offset=0 count=100', 300],
  ['pair size=1073741824 offset=4096 count=16', 20],
  ['request count=16', 256],
  ['request count=100', 256],
  ['unmap-all count=100', 200],
  ['unmap-all count=300 by=one', 600],
  ['nested-map by=range', 20],
  ['nested-map by=page', 20],
  ['endpoints operation=translate count=300', 1000],
  ['endpoints operation=attach count=5', 300],
  ['endpoints operation=unmap count=300', 300],
  ['queue-size size=2', 5],
  ['queue-size size=32768', 40_000],
  ['guest-memory size=1048576 regions=64', 1000],
  ['translate count=16 pattern=random prepared=1048576', 1_100_000],
  ['candidate-translate design=chunks count=300 pattern=random', 1000],
  ['candidate-translate design=look-aside count=300 pattern=hot', 1000],
  ['candidate-pair design=radix size=4096 offset=0 count=100', 300],
  ['candidate-pair design=radix size=1073741824 offset=4096 count=16', 20],
])('%s: finds all %i operations done', (words, operations) => {
  // Each work throws when it finds that one was not.
  const work = create(words);
  expect(work.run(operations)).toBeGreaterThan(0);
  expect(work.run(operations)).toBeGreaterThan(0);
});

it('has the split ring read each request', () => {
  const one = create('ring layout=direct');
  one.run(1);
  expect(one.sink).toBe(1);
  const two = create('ring layout=indirect');
  two.run(2);
  expect(two.sink).toBe(1 ^ 2);
});

describe('keys', () => {
  it.each([
    ['ring layout=round', 'layout=round: choose direct, indirect, packed'],
    ['ring layout=direct size=3', 'unknown key size'],
    ['ring direct', '"direct" is no key=value'],
    ['translate pattern=hot', 'count= is missing'],
    ['translate count=-1 pattern=hot', 'count=-1: give a whole number'],
  ])('refuses %s', (words, message) => {
    expect(() => create(words)).toThrow(message);
  });
});

it('refuses operations that are no whole batches', () => {
  expect(() => create('request count=16').run(100)).toThrow('100 requests: not in 128s');
});
