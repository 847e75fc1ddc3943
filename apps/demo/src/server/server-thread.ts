/** The thread of `viommu serve` and `viommu linux`: device models and sockets, blocked in poll() while nothing happens. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { VfioUserServer } from '@viommu/vfio-user';
import { messageOf } from '../command-error.ts';
import { MachineControl } from '../control/machine-control.ts';
import { observeMachine } from './observed-machine.ts';
import { postingLogger } from './posting-logger.ts';
import type { ServerMessage, ServerSettings, WatchedMessage } from './server-messages.ts';

/** What a guest needs from one request to the next when it reads block after block, on a slow machine as well. */
const POLL_MICROSECONDS = 500;

const settings = workerData as ServerSettings;

function post(message: ServerMessage | WatchedMessage): void {
  parentPort?.postMessage(message);
}

function run(): void {
  const logger = postingLogger(post);
  const control = settings.control ? new MachineControl(settings, { logger, post }) : undefined;
  const observed = observeMachine(settings, {
    post,
    logger,
    pollMicroseconds: POLL_MICROSECONDS,
    ...(control === undefined ? {} : { control }),
  });
  const server = new VfioUserServer({
    logger,
    ...(settings.allowUid === undefined ? {} : { allowUid: settings.allowUid }),
  });
  try {
    const sockets = observed.functions.map(({ name, bdf, function: pciFunction }) => {
      const socketPath = join(settings.socketDir, `${name}.sock`);
      server.listen(socketPath, pciFunction);
      return { name, bdf, socketPath };
    });
    const { sources, machine } = observed;
    for (const source of [...sources, ...(control?.open(machine) ?? [])]) server.watch(source);
    post({ type: 'listening', sockets, stopHandle: server.stopHandle });
    server.run();
    const statistics = observed.finish();
    server.close();
    control?.close();
    observed.end();
    post({ type: 'stopped', statistics });
  } finally {
    server.close();
    control?.close();
    observed.close();
  }
}

try {
  run();
} catch (error) {
  post({ type: 'failed', message: messageOf(error) });
}
