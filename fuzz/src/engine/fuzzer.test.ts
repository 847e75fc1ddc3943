import { describe, expect, it } from 'vitest';
import type { Finding } from './finding.ts';
import { Fuzzer } from './fuzzer.ts';
import { InputBuffer } from './input-buffer.ts';
import { violated } from './invariant.ts';

const WORD = [6, 5, 10, 11, 3];

/** How many digits of a word an input begins with: what guides, if anything does. */
function matched(input: Uint8Array): number {
  const first = WORD.findIndex((digit, index) => input[index]! % 16 !== digit);
  return first < 0 ? WORD.length : first;
}

function fuzz(run: (input: Uint8Array) => number, code = { look: () => false, keep() {} }) {
  const findings: Finding[] = [];
  const fuzzer = new Fuzzer({
    target: { run },
    coverage: code,
    input: new InputBuffer(),
    seed: 1,
    onFinding: (finding) => findings.push(finding),
  });
  fuzzer.seed([]);
  const runBatches = (count: number, stopsAtFirst = true) => {
    for (let left = count; left > 0 && !fuzzer.isDone; left -= 1) {
      fuzzer.runBatch();
      if (findings.length > 0 && stopsAtFirst) return;
    }
  };
  return { fuzzer, findings, runBatches };
}

describe('Fuzzer', () => {
  it('finds what needs several steps, by the outcomes', () => {
    const { findings, runBatches } = fuzz((input) => {
      if (matched(input) === WORD.length) violated('the word');
      return matched(input);
    });
    runBatches(200);
    expect(findings.map(({ input }) => [...input].map((byte) => byte % 16))).toEqual([WORD]);
    expect(findings[0]!.message).toContain('the word');
  });

  it('finds it by the code that runs', () => {
    const ran = new Set<number>();
    let latest = new Set<number>();
    let seen = new Set<number>();
    const code = {
      look() {
        seen = latest;
        latest = new Set();
        return [...seen].some((block) => !ran.has(block));
      },
      keep() {
        for (const block of seen) ran.add(block);
      },
    };
    const { findings, runBatches } = fuzz((input) => {
      latest.add(matched(input));
      if (matched(input) === WORD.length) violated('the word');
      return 0;
    }, code);
    runBatches(200);
    expect(findings.map(({ input }) => [...input].map((byte) => byte % 16))).toEqual([WORD]);
  });

  it('does not find it without either', () => {
    const { fuzzer, findings, runBatches } = fuzz((input) => {
      if (matched(input) === WORD.length) violated('the word');
      return 0;
    });
    runBatches(100);
    expect([findings.length, fuzzer.inputs, fuzzer.corpus.size]).toEqual([0, 100 * 512 + 1, 1]);
  });

  it('does the same again from the same seed', () => {
    const inputs = [0, 1].map(() => {
      const seen: string[] = [];
      const { runBatches } = fuzz((input) => {
        seen.push(input.join());
        return input.length % 7;
      });
      runBatches(2);
      return seen;
    });
    expect(inputs[0]).toEqual(inputs[1]);
    expect(new Set(inputs[0]).size).toBeGreaterThan(500);
  });

  it('tells of each kind once, and ends when there are many', () => {
    const { fuzzer, findings, runBatches } = fuzz((input) => {
      const kind = input.length % 26;
      throw new Error(`failure ${String.fromCharCode(0x61 + kind)}`);
    });
    runBatches(50, false);
    expect(fuzzer.isDone).toBe(true);
    const messages = findings.map(({ message }) => message.split('\n')[0]);
    expect(new Set(messages).size).toBe(messages.length);
  });

  it('says when a failure does not come again', () => {
    let runs = 0;
    const { findings, runBatches } = fuzz(() => {
      runs += 1;
      if (runs === 100) violated('once');
      return 0;
    });
    runBatches(1);
    expect(findings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^it failed once, and not when it was carried out again: .*once/),
    ]);
  });
});
