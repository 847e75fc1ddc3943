/** MachineControl: the control socket and the rules of fault injection of a server's machine, wired. */
import { join } from 'node:path';
import type { IommuInjector, IommuObserver } from '@viommu/iommu-core';
import type { Machine } from '@viommu/machine';
import type { PollSource } from '@viommu/vfio-user';
import type { Logger } from '@viommu/virtqueue';
import { readRule } from '../inject/rule.ts';
import { type RuleHit, RuleSet } from '../inject/rule-set.ts';
import type { ServerMessage, ServerSettings } from '../server/server-messages.ts';
import { carryOutControl } from './control-commands.ts';
import { controlEvents } from './control-events.ts';
import { ControlServer } from './control-server.ts';

const CONTROL_SOCKET = 'control.sock';

export interface MachineControlHost {
  readonly logger: Logger;
  post(message: ServerMessage): void;
}

/** Used in this order: observers and injectors for the machine, `open` with it, `close`. */
export class MachineControl {
  readonly #settings: ServerSettings;
  readonly #host: MachineControlHost;
  readonly #rules = new RuleSet((hit) => this.#hit(hit));
  #server: ControlServer | undefined;

  constructor(settings: ServerSettings, host: MachineControlHost) {
    this.#settings = settings;
    this.#host = host;
  }

  observers(iommu: number, nameOf: (endpoint: number) => string): readonly IommuObserver[] {
    return [controlEvents(iommu, nameOf, () => this.#server), this.#rules.observer(iommu)];
  }

  injector(iommu: number): IommuInjector {
    return this.#rules.injector(iommu);
  }

  /**
   * @returns what the server's thread has to wait for
   * @throws {CommandError} when a rule is wrong, {VfioUserError} when the socket cannot be
   */
  open(machine: Machine): readonly PollSource[] {
    const { machine: description, socketDir, allowUid, record, rules = [] } = this.#settings;
    this.#rules.add(rules.map((rule) => readRule(rule, machine.endpoints)));
    const target = {
      machine,
      description,
      rules: this.#rules,
      isRecorded: record !== undefined,
    };
    this.#server = new ControlServer({
      path: join(socketDir, CONTROL_SOCKET),
      ...(allowUid === undefined ? {} : { allowUid }),
      logger: this.#host.logger,
      carryOut: (request) => carryOutControl(target, request),
    });
    const devices = machine.iommus.map(({ device }) => device);
    const rulesAtWork: PollSource = {
      fd: -1,
      wantsRead: () => false,
      wantsWrite: () => false,
      ready() {},
      work: () => this.#rules.work(devices),
    };
    return [...this.#server.sources, rulesAtWork];
  }

  /** Safe to call more than once. */
  close(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  #hit(hit: RuleHit): void {
    const { iommu, rule, text } = hit;
    this.#host.post({ type: 'injected', ...hit });
    this.#server?.tell({ event: 'injected', iommu, rule, text: `rule ${rule}: ${text}` });
  }
}
