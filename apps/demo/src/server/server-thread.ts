/** The thread of `viommu serve` and `viommu linux`: device models and sockets, blocked in poll() while nothing happens. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { type IommuObserver, joinObservers } from '@viommu/iommu-core';
import {
  createMachine,
  describePlace,
  type MachineDescription,
  type MachineOptions,
} from '@viommu/machine';
import { VfioUserServer } from '@viommu/vfio-user';
import type { Logger } from '@viommu/virtqueue';
import { messageOf } from '../command-error.ts';
import { MachineControl } from '../control/machine-control.ts';
import { NodeParts } from '../machine/node-parts.ts';
import { type RecordedMachine, recordMachine } from '../trace/record-machine.ts';
import { IsolationCheck } from './isolation-check.ts';
import { PageFeed } from './page-feed.ts';
import { type PassThroughWatch, watchPassThrough } from './pass-through-watch.ts';
import type { ServerMessage, ServerSettings, WatchedMessage } from './server-messages.ts';
import { collectStatistics } from './statistics.ts';

/** What a guest needs from one request to the next when it reads block after block, on a slow machine as well. */
const POLL_MICROSECONDS = 500;

const settings = workerData as ServerSettings;

function nameOf(iommu: number, endpoint: number): string {
  const { devices } = settings.machine;
  const named = devices.find((one) => one.iommu === iommu && one.endpoint === endpoint);
  return named ? describePlace(named.place, settings.machine) : `endpoint ${endpoint}`;
}

/** What happens at one IOMMU, each as a message. */
function postEvents(iommu: number): IommuObserver {
  const named = (endpoint: number) => ({ iommu, endpoint, device: nameOf(iommu, endpoint) });
  return {
    attached: (endpoint, domain, bypass) =>
      post({ type: 'attached', ...named(endpoint), domain, bypass }),
    detached: (endpoint, domain) => post({ type: 'detached', ...named(endpoint), domain }),
    fault: (endpoint, reason, access, address, delivered) =>
      post({ type: 'fault', ...named(endpoint), reason, access, address, delivered }),
  };
}

/** The device that is passed through is told first: it tells nothing of what comes before its domain. */
function passThroughObserver({ iommu, attached, detached }: PassThroughWatch): IommuObserver {
  return { ...iommu, attached, detached: (endpoint) => detached(endpoint) };
}

function post(message: ServerMessage | WatchedMessage): void {
  parentPort?.postMessage(message);
}

const logger: Logger = {
  debug() {},
  info: (message) => post({ type: 'log', level: 'info', message }),
  warn: (message) => post({ type: 'log', level: 'warn', message }),
  error: (message) => post({ type: 'log', level: 'error', message }),
};

/** The machine, recorded if that was asked for. */
function makeMachine(description: MachineDescription, options: MachineOptions): RecordedMachine {
  if (settings.record !== undefined) return recordMachine(description, options, settings.record);
  const machine = createMachine(description, options);
  return { machine, functions: machine.functions, end() {} };
}

function run(): void {
  const { machine: description, checkIsolation } = settings;
  const isolation = checkIsolation ? description.iommus.map(() => new IsolationCheck()) : [];
  const engine = description.devices.find(({ kind }) => kind === 'engine');
  const passThrough = engine && watchPassThrough(engine.endpoint, post);
  const parts = new NodeParts({ logger });
  const control = settings.control ? new MachineControl(settings, { logger, post }) : undefined;
  const feed = settings.watch && new PageFeed(description, settings.watch, post);
  const options: MachineOptions = {
    parts,
    logger,
    pollMicroseconds: POLL_MICROSECONDS,
    observe: (iommu) =>
      joinObservers([
        ...(iommu === engine?.iommu ? [passThroughObserver(passThrough!)] : []),
        postEvents(iommu),
        ...isolation.slice(iommu, iommu + 1).map(({ observer }) => observer),
        ...(control?.observers(iommu, (endpoint) => nameOf(iommu, endpoint)) ?? []),
        ...(feed?.observers(iommu) ?? []),
      ]),
    ...(control === undefined ? {} : { inject: (iommu) => control.injector(iommu) }),
    ...(feed === undefined ? {} : { observeQueues: feed.observeQueues }),
    onWindowsAddress: (windows, address) => post({ type: 'windowsAddress', windows, address }),
    ...(passThrough === undefined ? {} : { passThroughObserver: passThrough.host }),
  };
  const { machine, functions, end } = makeMachine(description, options);
  isolation.forEach((check, index) => {
    const behind = machine.endpoints.filter(({ iommu }) => iommu === index);
    check.watch(
      machine.iommus[index]!.backend,
      behind.map(({ endpoint }) => endpoint),
    );
  });
  const server = new VfioUserServer({
    logger,
    ...(settings.allowUid === undefined ? {} : { allowUid: settings.allowUid }),
  });
  try {
    const sockets = functions.map(({ name, bdf, function: pciFunction }) => {
      const socketPath = join(settings.socketDir, `${name}.sock`);
      server.listen(socketPath, pciFunction);
      return { name, bdf, socketPath };
    });
    for (const network of parts.networks) server.watch(network);
    for (const source of control?.open(machine) ?? []) server.watch(source);
    feed?.open(machine);
    if (feed !== undefined) server.watch(feed);
    post({ type: 'listening', sockets, stopHandle: server.stopHandle });
    server.run();
    const statistics = collectStatistics(machine, isolation);
    feed?.finish();
    server.close();
    control?.close();
    end();
    // A disk that cannot be flushed is no good end.
    machine.close();
    post({ type: 'stopped', statistics });
  } finally {
    server.close();
    control?.close();
    machine.close();
  }
}

try {
  run();
} catch (error) {
  post({ type: 'failed', message: messageOf(error) });
}
