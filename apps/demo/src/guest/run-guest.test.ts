import { describe, expect, it } from 'vitest';
import { CommandError } from '../command-error.ts';
import { LineSplitter } from './line-splitter.ts';
import { runGuest } from './run-guest.ts';

/** A shell in the place of QEMU. */
function fakeQemu(script: string) {
  return { command: '/bin/sh', arguments: ['-c', script], environment: {}, version: '10.1.0' };
}

describe('LineSplitter', () => {
  it('cuts lines wherever the pieces end', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (const byte of Buffer.from('one\r\ntwö\n\nthree')) splitter.write(Buffer.of(byte));
    expect(lines).toEqual(['one', 'twö', '']);
    splitter.end();
    expect(lines).toEqual(['one', 'twö', '', 'three']);
  });

  it('does not keep a line that never ends', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (let piece = 0; piece < 100; piece += 1) splitter.write(Buffer.alloc(1024, 0x41));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toHaveLength(65 * 1024);
  });
});

describe('runGuest', () => {
  it('reports a guest that runs to its end', async () => {
    const facts: string[] = [];
    const run = await runGuest({
      qemu: fakeQemu('echo "@viommu boot 1"; echo noise; echo "@viommu done 5.00"'),
      arguments: [],
      onFact: (fact) => facts.push(fact),
    });
    expect(run.problem).toBeUndefined();
    expect(run.report.done).toBe(true);
    expect(facts).toEqual(['boot 1', 'done 5.00']);
    expect(run.tail).toEqual(['@viommu boot 1', 'noise', '@viommu done 5.00']);
  });

  it('passes on what QEMU complains about', async () => {
    const run = await runGuest({
      qemu: fakeQemu('echo "qemu: no such socket" >&2; exit 1'),
      arguments: [],
    });
    expect(run.problem).toBe('QEMU ended with exit code 1: qemu: no such socket');
  });

  it('tells a guest that powers off too early', async () => {
    const run = await runGuest({ qemu: fakeQemu('echo "@viommu boot 1"'), arguments: [] });
    expect(run.problem).toBe('the guest ended before its last step');
  });

  it('ends QEMU when it is told to, for the reason that it is given', async () => {
    const abort = new AbortController();
    const running = runGuest({
      qemu: fakeQemu('echo "@viommu boot 1"; exec sleep 60'),
      arguments: [],
      signal: abort.signal,
      onFact: () => abort.abort(new CommandError('the server has failed')),
    });
    expect((await running).problem).toBe('the server has failed');
    const interrupted = await runGuest({
      qemu: fakeQemu('exec sleep 60'),
      arguments: [],
      signal: AbortSignal.abort(),
    });
    expect(interrupted.problem).toBe('interrupted');
  });

  it("takes the guest's own error for a problem", async () => {
    const run = await runGuest({
      qemu: fakeQemu('echo "@viommu boot 1"; echo "@viommu error no disk"; echo "@viommu done 1"'),
      arguments: [],
    });
    expect(run.problem).toBe('no disk');
  });

  it('does not wait for a guest whose kernel panicked', async () => {
    const run = await runGuest({
      qemu: fakeQemu(
        'echo "[    3.1] Kernel panic - not syncing: No working init found."; exec sleep 60',
      ),
      arguments: [],
    });
    expect(run.problem).toBe(
      "the guest's kernel gave up: [    3.1] Kernel panic - not syncing: No working init found.",
    );
  });

  it('ends a guest that takes too long', async () => {
    const run = await runGuest({
      qemu: fakeQemu('echo "@viommu boot 1"; exec sleep 60'),
      arguments: [],
      timeoutSeconds: 0.2,
    });
    expect(run.problem).toBe('the guest did not finish within 0.2 s');
    expect(run.report.boots).toHaveLength(1);
    expect(run.seconds).toBeLessThan(10);
  });

  it('ends the guest when told to', async () => {
    const controller = new AbortController();
    const run = await runGuest({
      qemu: fakeQemu('echo ready; exec sleep 60'),
      arguments: [],
      signal: controller.signal,
      onLine: () => controller.abort(),
    });
    expect(run.problem).toBe('interrupted');
  });

  it('says so when there is no such QEMU', async () => {
    const run = await runGuest({
      qemu: { command: '/nowhere/qemu', arguments: [], environment: {}, version: '10.1.0' },
      arguments: [],
    });
    expect(run.problem).toMatch(/^QEMU does not start: .*ENOENT/);
  });
});
