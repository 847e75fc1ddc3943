/** The thread of `viommu serve` and `viommu linux`: device models and sockets, blocked in poll() while nothing happens. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { VfioUserServer } from '@viommu/vfio-user';
import type { Logger } from '@viommu/virtqueue';
import { messageOf } from '../command-error.ts';
import { createMachine } from '../machine/machine.ts';
import { IsolationCheck } from './isolation-check.ts';
import { watchPassThrough } from './pass-through-watch.ts';
import type { ServerMessage, ServerSettings } from './server-messages.ts';
import { collectStatistics } from './statistics.ts';

/** What a guest needs between the answer to one request and the next of the same mapping, with some to spare. */
const POLL_MICROSECONDS = 8;

const settings = workerData as ServerSettings;

function post(message: ServerMessage): void {
  parentPort?.postMessage(message);
}

const logger: Logger = {
  debug() {},
  info: (message) => post({ type: 'log', level: 'info', message }),
  warn: (message) => post({ type: 'log', level: 'warn', message }),
  error: (message) => post({ type: 'log', level: 'error', message }),
};

function run(): void {
  const isolation = new IsolationCheck();
  const { engine } = settings.machine;
  const passThrough = engine === undefined ? undefined : watchPassThrough(engine, post);
  const machine = createMachine(settings.machine, {
    logger,
    pollMicroseconds: POLL_MICROSECONDS,
    observer: {
      ...passThrough?.iommu,
      attached: (endpoint, domain, bypass) => {
        passThrough?.attached(endpoint, domain, bypass);
        post({ type: 'attached', endpoint, domain, bypass });
      },
      detached: (endpoint, domain) => {
        passThrough?.detached(endpoint);
        post({ type: 'detached', endpoint, domain });
      },
      fault: (endpoint, reason, access, address, delivered) =>
        post({ type: 'fault', endpoint, reason, access, address, delivered }),
      ...(settings.checkIsolation ? isolation.observer : {}),
    },
    ...(passThrough === undefined ? {} : { passThroughObserver: passThrough.host }),
  });
  isolation.watch(machine);
  const server = new VfioUserServer({ logger });
  try {
    const sockets = machine.functions.map(({ name, bdf, function: pciFunction }) => {
      const socketPath = join(settings.socketDir, `${name}.sock`);
      server.listen(socketPath, pciFunction);
      return { name, bdf, socketPath };
    });
    for (const network of machine.networks) server.watch(network);
    post({ type: 'listening', sockets, stopHandle: server.stopHandle });
    server.run();
    post({ type: 'stopped', statistics: collectStatistics(machine, isolation) });
  } finally {
    server.close();
    machine.close();
  }
}

try {
  run();
} catch (error) {
  post({ type: 'failed', message: messageOf(error) });
}
