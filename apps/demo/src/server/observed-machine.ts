/** observeMachine: the machine of a server, and all that looks on: events, the device that is passed through, isolation, the page, a recording. */
import { watchPassThrough } from '@viommu/inspector';
import { type IommuObserver, joinObservers } from '@viommu/iommu-core';
import {
  createMachine,
  describePlace,
  type Machine,
  type MachineDescription,
  type MachineFunction,
  type MachineOptions,
  type PassThroughObserver,
} from '@viommu/machine';
import type { PollSource } from '@viommu/vfio-user';
import type { Logger } from '@viommu/virtqueue';
import type { MachineControl } from '../control/machine-control.ts';
import { NodeParts } from '../machine/node-parts.ts';
import { type RecordedMachine, recordMachine } from '../trace/record-machine.ts';
import { IsolationCheck } from './isolation-check.ts';
import { PageFeed } from './page-feed.ts';
import type {
  ServerMessage,
  ServerSettings,
  ServerStatistics,
  WatchedMessage,
} from './server-messages.ts';
import { collectStatistics } from './statistics.ts';
import { StrayAccess } from './stray-access.ts';
import { WatchBoard } from './watch-board.ts';

export type ObservedSettings = Pick<
  ServerSettings,
  'machine' | 'checkIsolation' | 'record' | 'stray' | 'watch'
>;

export interface ObservedMachineOptions {
  readonly post: (message: ServerMessage | WatchedMessage) => void;
  readonly logger: Logger;
  readonly pollMicroseconds?: number;
  readonly control?: MachineControl;
}

export interface ObservedMachine {
  readonly machine: Machine;
  /** Those of the machine, or what records them. */
  readonly functions: readonly MachineFunction[];
  /** What its thread has to wait for. */
  readonly sources: readonly PollSource[];
  /** What was counted; whoever looks on is told how it ends. The functions are still plugged in. */
  finish(): ServerStatistics;
  /** The functions are used no more. @throws what a disk throws */
  end(): void;
  /** Safe to call at any time, and more than once. */
  close(): void;
}

/** How messages name an endpoint. */
function endpointName(description: MachineDescription, iommu: number, endpoint: number): string {
  const named = description.devices.find((one) => one.iommu === iommu && one.endpoint === endpoint);
  return named ? describePlace(named.place, description) : `endpoint ${endpoint}`;
}

/** @throws what a part throws that cannot be opened */
export function observeMachine(
  settings: ObservedSettings,
  { post, logger, pollMicroseconds, control }: ObservedMachineOptions,
): ObservedMachine {
  const { machine: description, checkIsolation } = settings;
  const nameOf = (iommu: number, endpoint: number) => endpointName(description, iommu, endpoint);
  const isolation = checkIsolation ? description.iommus.map(() => new IsolationCheck()) : [];
  const passThrough = watchPassThrough(description, post);
  const parts = new NodeParts({ logger });
  const feed = settings.watch && new PageFeed(description, new WatchBoard(settings.watch), post);
  const stray = settings.stray && new StrayAccess(settings.stray, () => machine.iommus[0]!.device);
  const options: MachineOptions = {
    parts,
    logger,
    ...(pollMicroseconds === undefined ? {} : { pollMicroseconds }),
    observe: (iommu) =>
      joinObservers([
        // It is told first: it tells nothing of what comes before a device has its domain.
        passThrough.observe(iommu),
        eventObserver(iommu, nameOf, post),
        ...(iommu === 0 && stray ? [stray.observer] : []),
        ...isolation.slice(iommu, iommu + 1).map(({ observer }) => observer),
        ...(control?.observers(iommu, (endpoint) => nameOf(iommu, endpoint)) ?? []),
        ...(feed === undefined ? [] : [feed.observe(iommu)]),
      ]),
    ...(control === undefined ? {} : { inject: (iommu) => control.injector(iommu) }),
    ...(feed === undefined ? {} : { observeQueues: feed.observeQueues }),
    onWindowsAddress: (windows, address) => post({ type: 'windowsAddress', windows, address }),
    passThroughObserver: joinHosts(passThrough.host, feed?.passThroughObserver),
  };
  const { machine, functions, end } = makeMachine(settings, options);
  isolation.forEach((check, index) => {
    const behind = machine.endpoints.filter(({ iommu }) => iommu === index);
    check.watch(
      machine.iommus[index]!.backend,
      behind.map(({ endpoint }) => endpoint),
    );
  });
  feed?.open(machine);
  return {
    machine,
    functions,
    sources: [...parts.networks, ...(feed ? [feed] : []), ...(stray ? [stray] : [])],
    finish() {
      const statistics = collectStatistics(machine, isolation);
      feed?.finish();
      return statistics;
    },
    end() {
      end();
      // A disk that cannot be flushed is no good end.
      machine.close();
    },
    close: () => machine.close(),
  };
}

/** The machine, recorded if that was asked for. */
function makeMachine(
  { machine: description, record }: ObservedSettings,
  options: MachineOptions,
): RecordedMachine {
  if (record !== undefined) return recordMachine(description, options, record);
  const machine = createMachine(description, options);
  return { machine, functions: machine.functions, end() {} };
}

/** What happens at one IOMMU, each as a message. */
function eventObserver(
  iommu: number,
  nameOf: (iommu: number, endpoint: number) => string,
  post: ObservedMachineOptions['post'],
): IommuObserver {
  const named = (endpoint: number) => ({ iommu, endpoint, device: nameOf(iommu, endpoint) });
  return {
    attached: (endpoint, domain, bypass) =>
      post({ type: 'attached', ...named(endpoint), domain, bypass }),
    detached: (endpoint, domain) => post({ type: 'detached', ...named(endpoint), domain }),
    fault: (endpoint, reason, access, address, delivered) =>
      post({ type: 'fault', ...named(endpoint), reason, access, address, delivered }),
  };
}

/** What happens on the host, for two. */
function joinHosts(one: PassThroughObserver, other: PassThroughObserver = {}): PassThroughObserver {
  return {
    hostMapped(...run) {
      one.hostMapped?.(...run);
      other.hostMapped?.(...run);
    },
    started(...copy) {
      one.started?.(...copy);
      other.started?.(...copy);
    },
  };
}
