import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProgramFailed, ProgramMissing, runProgram } from './run-program.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('runProgram', () => {
  it('hands back what was printed, and says why a program failed', async () => {
    expect(await runProgram('echo', ['hello'])).toBe('hello\n');
    const failed = runProgram('sh', ['-c', 'echo a.c:1: error: no >&2; echo last >&2; exit 3']);
    await expect(failed).rejects.toThrow('sh ended with exit code 3: a.c:1: error: no');
    await expect(failed).rejects.toBeInstanceOf(ProgramFailed);
    await expect(runProgram('no-such-program', [])).rejects.toBeInstanceOf(ProgramMissing);
  });

  it('ends a program with all that it started', async () => {
    const controller = new AbortController();
    const script = '(while [ ! -e go ]; do sleep 0.05; done; touch late) & echo started; wait';
    const running = runProgram('sh', ['-c', script], {
      directory: folder,
      signal: controller.signal,
      onOutput: () => controller.abort(new Error('enough')),
    });
    await expect(running).rejects.toThrow('enough');
    writeFileSync(join(folder, 'go'), '');
    await sleep(300);
    expect(existsSync(join(folder, 'late'))).toBe(false);
  });

  it('starts nothing once it is told to end', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const path = join(folder, 'file');
    await expect(runProgram('touch', [path], { signal })).rejects.toThrow('enough');
    expect(existsSync(path)).toBe(false);
  });
});
