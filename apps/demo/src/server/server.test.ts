/** The thread of the server, seen from outside: its end is told, however it comes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandError } from '../command-error.ts';
import { type Server, startServer } from './server.ts';

const LISTENING = "parentPort.postMessage({ type: 'listening', sockets: [], stopHandle: -1 });";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-server-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** @param body what the thread does */
function start(body: string): Promise<Server> {
  const file = join(folder, 'thread.mjs');
  writeFileSync(file, `import { parentPort } from 'node:worker_threads';\n${body}\n`);
  const machine = { iommus: [], devices: [], packed: false, msiWindows: [] };
  return startServer({ machine, socketDir: folder, checkIsolation: false }, () => {}, {
    threadFile: file,
  });
}

function failureOf({ failure }: Server): Promise<CommandError> {
  return new Promise((resolve) => {
    if (failure.aborted) resolve(failure.reason);
    failure.addEventListener('abort', () => resolve(failure.reason));
  });
}

describe('a server whose thread fails', () => {
  it.each([
    ['throws', "setTimeout(() => { throw new Error('out of luck'); }, 20);", 'out of luck'],
    [
      'says so',
      "setTimeout(() => parentPort.postMessage({ type: 'failed', message: 'no disk' }), 20);",
      'no disk',
    ],
    ['just ends', '', 'the server has ended before it was asked to'],
  ])('tells when it %s', async (_, body, message) => {
    const server = await start(`${LISTENING}\n${body}`);
    const failure = await failureOf(server);
    expect(failure).toBeInstanceOf(CommandError);
    expect(failure.message).toContain(message);
    expect(failure.message).not.toContain('\n');
    await expect(server.stop()).rejects.toBe(failure);
  });

  it.each([
    ["throw new Error('no port');", 'no port'],
    ['', 'the server has ended before it was asked to'],
  ])('does not come to listen: %s', async (body, message) => {
    await expect(start(body)).rejects.toThrow(message);
  });
});

it('has no failure when a server ends as it is asked to', async () => {
  const statistics = { iommus: [], endpoints: [] };
  const server = await start(
    `${LISTENING}\nsetTimeout(() => parentPort.postMessage(${JSON.stringify({ type: 'stopped', statistics })}), 20);`,
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(server.failure.aborted).toBe(false);
});
