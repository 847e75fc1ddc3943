/** Starts and stops the thread in which the device models live and which blocks on their sockets. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { requestStop } from '@viommu/vfio-user';
import { CommandError } from '../command-error.ts';
import type {
  ServerMessage,
  ServerSettings,
  ServerSocket,
  ServerStatistics,
} from './server-messages.ts';

export interface Server {
  readonly sockets: readonly ServerSocket[];
  /** Ends the thread: disks flushed, sockets removed. Resolves to what the device counted. */
  stop(): Promise<ServerStatistics>;
}

/**
 * Starts the server and waits until it listens.
 *
 * @param onMessage called for each log line, attach, detach and fault
 * @param threadFile the built thread; only tests that run from sources name it
 */
export async function startServer(
  settings: ServerSettings,
  onMessage: (message: ServerMessage) => void,
  threadFile = fileURLToPath(new URL('./server-thread.js', import.meta.url)),
): Promise<Server> {
  const worker = new Worker(threadFile, {
    workerData: settings,
    // No others of this process: a test runner's would have the built thread resolve packages to sources.
    execArgv: process.execArgv.filter((argument) => argument === '--enable-source-maps'),
  });
  const {
    promise: listening,
    resolve,
    reject,
  } = withResolvers<ServerMessage & { type: 'listening' }>();
  const stopped = withResolvers<ServerStatistics>();
  stopped.promise.catch(() => {});
  worker.on('message', (message: ServerMessage) => {
    if (message.type === 'listening') resolve(message);
    else if (message.type === 'stopped') stopped.resolve(message.statistics);
    else if (message.type === 'failed') {
      reject(new CommandError(message.message));
      stopped.reject(new CommandError(message.message));
    } else onMessage(message);
  });
  worker.on('error', (error) => {
    reject(error);
    stopped.reject(error);
  });
  const exited = once(worker, 'exit');
  const { sockets, stopHandle } = await listening;
  return {
    sockets,
    async stop() {
      requestStop(stopHandle);
      const statistics = await stopped.promise;
      await exited;
      return statistics;
    },
  };
}

function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
