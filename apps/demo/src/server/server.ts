/** Starts and stops the thread in which the device models live and which blocks on their sockets. */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { requestStop } from '@viommu/vfio-user';
import { CommandError, messageOf } from '../command-error.ts';
import type {
  ServerMessage,
  ServerSettings,
  ServerSocket,
  ServerStatistics,
  ServerWatcher,
  WatchedMessage,
} from './server-messages.ts';

const SERVER_THREAD = fileURLToPath(new URL('./server-thread.js', import.meta.url));

export interface Server {
  readonly sockets: readonly ServerSocket[];
  /** Fires when the thread ends before it was asked to; the reason is a {@link CommandError}. Its clients stand still then. */
  readonly failure: AbortSignal;
  /** Ends the thread: disks flushed, sockets removed. Resolves to what the device counted; rejects when it has failed. */
  stop(): Promise<ServerStatistics>;
}

export interface ServerOptions {
  readonly watcher?: ServerWatcher | undefined;
  /** The built thread; only tests that run from sources name it. */
  readonly threadFile?: string | undefined;
}

/**
 * Starts the server and waits until it listens.
 *
 * @param onMessage called for each log line, attach, detach and fault
 */
export async function startServer(
  settings: Omit<ServerSettings, 'watch'>,
  onMessage: (message: ServerMessage) => void,
  { watcher, threadFile = SERVER_THREAD }: ServerOptions = {},
): Promise<Server> {
  const workerData: ServerSettings =
    watcher === undefined ? settings : { ...settings, watch: watcher.board.buffer };
  const worker = new Worker(threadFile, {
    workerData,
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
  const failure = new AbortController();
  let hasStopped = false;
  const fail = (message: string): void => {
    const error = new CommandError(message);
    reject(error);
    stopped.reject(error);
    if (!hasStopped) failure.abort(error);
  };
  worker.on('message', (message: ServerMessage | WatchedMessage) => {
    if (message.type === 'watched') watcher?.take(message);
    else if (message.type === 'listening') resolve(message);
    else if (message.type === 'stopped') {
      hasStopped = true;
      stopped.resolve(message.statistics);
    } else if (message.type === 'failed') fail(message.message);
    else onMessage(message);
  });
  worker.on('error', (error) => fail(`the server has failed: ${messageOf(error)}`));
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      fail('the server has ended before it was asked to');
      resolve();
    });
  });
  const { sockets, stopHandle } = await listening;
  return {
    sockets,
    failure: failure.signal,
    async stop() {
      // The handle is a descriptor that the thread has closed by then.
      if (!failure.signal.aborted) requestStop(stopHandle);
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
