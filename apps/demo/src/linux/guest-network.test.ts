/** The network of a guest, with a shell script in the place of passt. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startGuestNetwork } from './guest-network.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** `$socket` is the path that the script was given with `--socket`. */
function fakePasst(script: string) {
  const command = join(folder, 'passt');
  const arguments_ = 'while [ "$1" != --socket ]; do shift; done; socket=$2';
  writeFileSync(command, `#!/bin/sh\necho "$@" >"${folder}/asked"\n${arguments_}\n${script}\n`);
  chmodSync(command, 0o755);
  return { command, arguments: [] };
}

it('serves its download on the loopback, under the address that the guest knows it by', async () => {
  const passt = fakePasst(
    `trap 'echo ended >"${folder}/ended"; exit' TERM; : >"$socket"; while :; do sleep 0.05; done`,
  );
  const network = await startGuestNetwork(passt, folder, 100_000);
  expect(network.socketPath).toBe(join(folder, 'passt.sock'));
  const { url, bytes, sha256 } = network.download;
  const { hostname, port } = new URL(url);
  expect(hostname).toBe('10.0.2.2');
  const content = new Uint8Array(await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer());
  expect([content.length, bytes]).toEqual([100_000, 100_000]);
  expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
  const part = await (await fetch(`http://127.0.0.1:${port}/1234`)).arrayBuffer();
  expect(new Uint8Array(part)).toEqual(content.subarray(0, 1234));
  const posted = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: content });
  expect([posted.status, await posted.text()]).toEqual([200, '']);
  network.close();
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  while (!existsSync(join(folder, 'ended'))) await setTimeout(10);
});

it('has another way in for a guest that is not served by us', async () => {
  const passt = fakePasst(
    `trap 'echo ended >"$socket.ended"; exit' TERM; : >"$socket"; while :; do sleep 0.05; done`,
  );
  const network = await startGuestNetwork(passt, folder, 10);
  const plug = await network.plug();
  expect(plug.socketPath).toBe(join(folder, 'passt1.sock'));
  plug.close();
  while (!existsSync(`${plug.socketPath}.ended`)) await setTimeout(10);
  expect(existsSync(`${network.socketPath}.ended`)).toBe(false);
  network.close();
  while (!existsSync(`${network.socketPath}.ended`)) await setTimeout(10);
});

it.each([
  ['ends', 'echo "no such option" >&2; exit 3', /it ended with exit code 3 \(no such option\)/],
  ['is killed', 'kill -9 $$', /it ended with SIGKILL/],
])('says why there is none, when passt %s', async (_what, script, reason) => {
  const start = startGuestNetwork(fakePasst(script), folder, 10);
  await expect(start).rejects.toThrow(reason);
});

it('says that there is no such program', async () => {
  const missing = { command: join(folder, 'none'), arguments: [] };
  await expect(startGuestNetwork(missing, folder, 10)).rejects.toThrow(
    /passt does not start: .*ENOENT.*; pass --passt/,
  );
});
