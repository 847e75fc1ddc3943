import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { servePeer } from './serving.ts';

const folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function program(text: string): readonly string[] {
  const path = join(folder, 'server.mjs');
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return [process.execPath, path];
}

function tryToConnect(socket: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const client = connect(socket, () => {
      client.destroy();
      resolve('connected');
    });
    client.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
  });
}

it('waits until a server accepts clients, and ends it', async () => {
  const listens = `import { createServer } from 'node:net';
createServer().listen(process.argv[2].slice('socket='.length));`;
  const serving = await servePeer(program(listens));
  expect(serving.milliseconds).toBeGreaterThan(0);
  expect(await tryToConnect(serving.socket)).toBe('connected');
  await serving.stop();
  expect(await tryToConnect(serving.socket)).toBe('ENOENT');
});

it('says that a server has ended early, or is not there', async () => {
  await expect(servePeer(program(''))).rejects.toThrow('server.mjs');
  await expect(servePeer([join(folder, 'none')])).rejects.toThrow('does not listen');
});
