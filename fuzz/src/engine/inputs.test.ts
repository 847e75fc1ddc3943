import { describe, expect, it } from 'vitest';
import { Corpus } from './corpus.ts';
import { failureOf, kindOf, shorten } from './finding.ts';
import { formatHex, parseHex } from './hex.ts';
import { INPUT_MAX, InputBuffer } from './input-buffer.ts';
import { InputReader } from './input-reader.ts';
import { violated } from './invariant.ts';

describe('inputs as text', () => {
  it('come back as they were', () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, index) => (index * 37) % 256);
    const text = formatHex(bytes, 'what went wrong\nat line 3');
    expect(text.startsWith('# what went wrong\n# at line 3\n00254a')).toBe(true);
    expect(parseHex(text)).toEqual(bytes);
  });

  it('may have remarks and blanks', () => {
    expect(parseHex('00 fF # ab\n\n 1\n2')).toEqual(Uint8Array.of(0, 0xff, 0x12));
  });

  it.each([
    ['0', /hexadecimal/],
    ['xy', /hexadecimal/],
    ['00'.repeat(INPUT_MAX + 1), /longer than 1024/],
  ])('are refused', (text, reason) => {
    expect(() => parseHex(text)).toThrow(reason);
  });
});

describe('InputReader', () => {
  it('is little-endian, and zero behind the end', () => {
    const input = new InputReader();
    input.begin(Uint8Array.of(1, 2, 3, 4, 5, 6, 0xff, 0xff, 0xff));
    expect([input.word16(), input.word32(), input.isAtEnd]).toEqual([0x201, 0x605_0403, false]);
    expect([input.word32(), input.isAtEnd, input.byte()]).toEqual([0xff_ffff, true, 0]);
  });

  it('starts anew', () => {
    const input = new InputReader();
    input.begin(Uint8Array.of(1));
    input.byte();
    input.begin(Uint8Array.of(5, 1));
    expect([input.pick(['a', 'b', 'c']), input.pick(['a', 'b', 'c'])]).toEqual(['c', 'b']);
  });
});

describe('Corpus', () => {
  it('keeps seeds, and a limited number of others', () => {
    const corpus = new Corpus();
    const seed = Uint8Array.of(1);
    corpus.addSeed(seed);
    seed[0] = 9;
    for (let index = 0; index < 5000; index += 1) corpus.add(Uint8Array.of(2));
    corpus.add(Uint8Array.of());
    expect(corpus.size).toBe(2000);
    expect(corpus.at(0)).toEqual(Uint8Array.of(1));
    expect(corpus.at(1999)).toEqual(Uint8Array.of(2));
  });

  it('knows each outcome once', () => {
    const corpus = new Corpus();
    expect([7, 7, 8, 7].map((outcome) => corpus.isNewOutcome(outcome))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});

describe('findings', () => {
  const target = {
    run(input: Uint8Array): number {
      const at = input.indexOf(0xaa);
      if (at >= 0 && input.indexOf(0xbb, at) > 0) violated(`found after ${input.length} bytes`);
      return 0;
    },
  };
  const fails = (input: Uint8Array) => failureOf(target, input);

  it('are made as short as they can be', () => {
    const input = Uint8Array.from({ length: 300 }, (_, index) => index % 128);
    input[17] = 0xaa;
    input[250] = 0xbb;
    expect(shorten(fails, input, fails(input)!)).toEqual(Uint8Array.of(0xaa, 0xbb));
  });

  it('are the same when only numbers differ', () => {
    const [one, other] = [Uint8Array.of(0xaa, 0xbb), Uint8Array.of(1, 0xaa, 0xbb)].map(fails);
    expect(one).not.toBe(other);
    expect(kindOf(one!)).toBe(kindOf(other!));
    expect(kindOf(one!)).toContain('found after # bytes');
    expect(fails(Uint8Array.of(0xbb, 0xaa))).toBeUndefined();
  });
});

describe('InputBuffer', () => {
  it('is seen by who shares its memory, and cuts what is too long', () => {
    const mine = new InputBuffer();
    const theirs = new InputBuffer(mine.shared);
    mine.content = new Uint8Array(INPUT_MAX + 5).fill(3);
    mine.tick();
    expect([theirs.length, theirs.ticks, theirs.content[INPUT_MAX - 1]]).toEqual([INPUT_MAX, 1, 3]);
  });
});
