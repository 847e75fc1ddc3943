/**
 * The server of the soak run: the devices of `viommu serve` in the main thread of a process that was started with
 * --expose-gc, so that its heap can be asked for. The one argument is {@link SoakServerSettings} as JSON. It prints `serving`, and
 * for each line on stdin one line of JSON, {@link SoakServerMemory}; it ends when stdin does.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createMachine } from '@viommu/machine';
import { VfioUserServer } from '@viommu/vfio-user';
import type { Logger } from '@viommu/virtqueue';
import { NodeParts } from '../machine/node-parts.ts';
import type { SoakServerMemory, SoakServerSettings } from './soak-server-settings.ts';

/** As in the server's thread. */
const POLL_MICROSECONDS = 500;
/** How long it serves before it looks at stdin. */
const TURN_MILLISECONDS = 100;

const settings = JSON.parse(process.argv[2]!) as SoakServerSettings;
const complain = (message: string): void => void process.stderr.write(`${message}\n`);
const logger: Logger = { debug() {}, info() {}, warn: complain, error: complain };
const parts = new NodeParts({ logger });
const machine = createMachine(settings.machine, {
  parts,
  logger,
  pollMicroseconds: POLL_MICROSECONDS,
});
const server = new VfioUserServer({ logger });
let asked = 0;
let running = true;
process.stdin.on('data', (bytes: Buffer) => {
  asked += bytes.filter((byte) => byte === 0x0a).length;
});
process.stdin.on('end', () => {
  running = false;
});
try {
  for (const { name, function: pciFunction } of machine.functions)
    server.listen(join(settings.socketDir, `${name}.sock`), pciFunction);
  for (const network of parts.networks) server.watch(network);
  process.stdout.write('serving\n');
  while (running) {
    const end = performance.now() + TURN_MILLISECONDS;
    while (performance.now() < end) server.poll(TURN_MILLISECONDS);
    await setImmediate();
    for (; asked > 0; asked -= 1) process.stdout.write(`${JSON.stringify(memory())}\n`);
  }
} finally {
  server.close();
  machine.close();
}

/** After all garbage is gone. */
function memory(): SoakServerMemory {
  global.gc!();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, external, resident: rss };
}
