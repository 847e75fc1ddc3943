/** A server that ends under its guest: the guest cannot tell, so whoever started both says it, and ends QEMU. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isVersion } from '../src/guest/qemu-program.ts';
import { createLinuxMachine } from '../src/linux/linux-machine.ts';
import { parts } from './guest-setting.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
/** Where QEMU can be told to end with its parent. */
const endsWithParent = parts !== undefined && isVersion(parts.qemu.version, 10, 2);
/** It listens, with nothing, and fails when the guest's kernel is about to start. */
const FAILING_THREAD = `import { parentPort } from 'node:worker_threads';
parentPort.postMessage({ type: 'listening', sockets: [], stopHandle: -1 });
setTimeout(() => { throw new Error('out of memory'); }, 500);
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-ends-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.runIf(parts !== undefined)('a server that ends under its guest', () => {
  it('ends the run at once, with its reason, when its thread fails', async () => {
    const threadFile = join(folder, 'thread.mjs');
    writeFileSync(threadFile, FAILING_THREAD);
    const machine = await createLinuxMachine({ parts: parts!, threadFile });
    const { problem, seconds } = await machine.boot({ steps: [{ step: 'report' }] });
    expect(problem).toBe('the server has failed: out of memory');
    // Far less than the guest waits for a disk that is not there.
    expect(seconds).toBeLessThan(15);
    await expect(machine.close()).rejects.toThrow('the server has failed: out of memory');
    expect(existsSync(machine.folder)).toBe(false);
  });

  it.runIf(endsWithParent)('takes QEMU with it when `viommu linux` is killed', async () => {
    const environment = { ...process.env, TMPDIR: folder };
    const viommu = spawn(process.execPath, [MAIN, 'linux', '--scenario', 'disk'], {
      stdio: ['ignore', 'ignore', 'ignore'],
      env: environment,
    });
    const exited = once(viommu, 'exit');
    let children: readonly string[] = [];
    while (children.length === 0 && viommu.exitCode === null) {
      await setTimeout(20);
      children = childrenOf(viommu.pid!).filter(isQemu);
    }
    viommu.kill('SIGKILL');
    await exited;
    expect(children).toHaveLength(1);
    for (const deadline = performance.now() + 20_000; performance.now() < deadline; ) {
      if (!isQemu(children[0]!)) break;
      await setTimeout(20);
    }
    expect(isQemu(children[0]!)).toBe(false);
  });
});

function childrenOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
    );
  } catch {
    return [];
  }
}

/** Whether this process runs, and is a QEMU, by whatever loader it was started. */
function isQemu(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('qemu-system');
  } catch {
    return false;
  }
}
