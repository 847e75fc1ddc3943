/** IommuRun: a real device on a simulated physical IOMMU, driven by requests, beside the model of it. */
import { type IommuSnapshot, type TranslationBackend, VirtioIommuDevice } from '@viommu/iommu-core';
import { VirtioError } from '@viommu/virtqueue';
import type { DeviceContext } from '@viommu/virtqueue/device';
import { SnapshotReader } from '@viommu/virtqueue/snapshot';
import type { InputReader } from '../../engine/input-reader.ts';
import { violated } from '../../engine/invariant.ts';
import type { MemoryChoice } from '../../memory/layouts.ts';
import { IommuModel } from '../../models/iommu-model.ts';
import type { Domain, Entry, Features } from '../../models/iommu-rules.ts';
import { type ModelAnswer, type RequestBuffer, RequestModel } from '../../models/request-model.ts';
import { DrivenQueue } from './driven-queue.ts';
import { FIRST_ENDPOINTS, type IommuSetup, SETUPS } from './iommu-setups.ts';

/** MAP_UNMAP, PROBE, MMIO, BYPASS_CONFIG and, always, INPUT_RANGE, DOMAIN_RANGE and VERSION_1. */
const [F_MAP_UNMAP, F_MMIO, F_BYPASS_CONFIG] = [0x4n, 0x20n, 0x40n];
const F_OTHERS = 0x1_0000_0013n;
const CONFIG_BYPASS = 36;
const STATUS_MAX = 8;

/** Endpoints, domains and mappings have no order of their own. */
function inOrder({ bypass, endpoints, domains }: IommuSnapshot): string {
  const mappingsOf = (numbers: readonly number[]) =>
    Array.from({ length: numbers.length / 4 }, (_, at) => numbers.slice(4 * at, 4 * at + 4).join());
  return JSON.stringify([
    bypass,
    endpoints.map((each) => JSON.stringify(each)).sort(),
    domains
      .map(({ mappings, endpoints: members, ...rest }) =>
        JSON.stringify([rest, members.toSorted(), mappingsOf(mappings).sort()]),
      )
      .sort(),
  ]);
}

/** The device at some moment, and what the model was. */
interface Saved {
  readonly snapshot: string;
  readonly isUp: boolean;
  readonly state: {
    readonly bypass: boolean;
    readonly domains: ReadonlyMap<number, Domain>;
    readonly mappings: readonly Entry[];
  };
  readonly endpoints: readonly number[];
}

export class IommuRun {
  readonly guest: MemoryChoice;
  readonly setup: IommuSetup;
  /** Another one after a restore. */
  device: VirtioIommuDevice;
  readonly model: IommuModel;
  readonly requests: DrivenQueue;
  readonly events: DrivenQueue;
  /** The driver has set the event queue up. */
  hasEvents = true;
  isUp = false;
  /** Bits of what was answered, by status. */
  statuses = 0;
  readonly #features: Features;
  readonly #requestModel: RequestModel;
  readonly #interrupts = [0, 0];
  #backend!: TranslationBackend;
  #driverFeatures = 0n;
  #saved: Saved | undefined;
  readonly #out = { physical: 0, length: 0, bypass: false };

  constructor(input: InputReader, memories: readonly MemoryChoice[]) {
    this.setup = input.pick(SETUPS);
    const code = input.byte();
    this.guest = input.pick(memories);
    this.guest.arena.reset();
    this.guest.memory.reset();
    // Most drivers accept all.
    this.#features = {
      mapUnmap: (code & 0x31) !== 1,
      mmio: (code & 2) === 0 && this.setup.mmio,
      bypassConfig: (code & 4) === 0,
    };
    const { limits, probeSize } = this.setup;
    this.model = new IommuModel({ ...limits, ...this.#features });
    for (const id of FIRST_ENDPOINTS) this.model.endpoints.set(id, this.setup.reserved(id));
    this.#requestModel = new RequestModel(this.guest.arena, this.model, this.#features, probeSize);
    this.device = this.#createDevice();
    this.requests = new DrivenQueue(0, 256, this.guest.memory);
    this.events = new DrivenQueue(1, 64, this.guest.memory);
    this.activate();
  }

  /** FEATURES_OK and DRIVER_OK. */
  activate(): void {
    if (this.isUp) return;
    const { mapUnmap, mmio, bypassConfig } = this.#features;
    const driverFeatures =
      F_OTHERS |
      (mapUnmap ? F_MAP_UNMAP : 0n) |
      (mmio ? F_MMIO : 0n) |
      (bypassConfig ? F_BYPASS_CONFIG : 0n);
    const run = this;
    const context: DeviceContext = {
      memory: this.guest.memory,
      get queues() {
        return [run.requests, run.hasEvents ? run.events : undefined];
      },
      driverFeatures,
      interrupts: {
        usedBuffer: (queue) => {
          this.#interrupts[queue]! += 1;
        },
        configChange: () => violated('the configuration does not change'),
      },
      requestService: () => {},
      needsReset: () => {},
    };
    this.device.acceptFeatures(driverFeatures);
    this.device.activate(context);
    this.isUp = true;
    this.#driverFeatures = driverFeatures;
  }

  save(): void {
    const { bypass, domains, mappings, endpoints } = this.model;
    this.#saved = {
      snapshot: JSON.stringify(this.device.snapshot()),
      isUp: this.isUp,
      state: { bypass, domains: new Map(domains), mappings },
      endpoints: [...endpoints.keys()],
    };
  }

  /** Goes on in another device with another backend, as it was when it was saved, unless it has other endpoints now. */
  restore(): void {
    if (this.#saved === undefined) return;
    const { snapshot, isUp, state, endpoints } = this.#saved;
    const former = { device: this.device, backend: this.#backend };
    const device = this.#createDevice();
    const isSame =
      endpoints.length === this.model.endpoints.size &&
      endpoints.every((id) => this.model.endpoints.has(id));
    const reader = new SnapshotReader(JSON.parse(snapshot), 'iommu');
    let finish: () => void;
    try {
      finish = device.prepareRestore(reader, { isUp, features: isUp ? this.#driverFeatures : 0n });
    } catch (error) {
      if (isSame || !(error instanceof VirtioError)) throw error;
      this.#backend = former.backend;
      return;
    }
    if (!isSame) violated('a snapshot of other endpoints is taken');
    this.device = device;
    this.requests.reset();
    this.events.reset();
    this.isUp = false;
    if (isUp) this.activate();
    finish();
    Object.assign(this.model, { ...state, domains: new Map(state.domains) });
    if (inOrder(device.snapshot()) !== inOrder(JSON.parse(snapshot))) violated('another snapshot');
  }

  /** @param isSystem the machine is reset, and not the device alone */
  reset(isSystem: boolean): void {
    if (isSystem) this.device.systemReset();
    else this.device.reset();
    this.model.reset(isSystem);
    this.requests.reset();
    this.events.reset();
    this.isUp = false;
    if (this.device.notifyQueue(0)) violated('work is left after a reset');
  }

  writeBypass(value: number): void {
    this.device.writeConfig(CONFIG_BYPASS, 1, value);
    if (this.isUp && this.#features.bypassConfig && value <= 1) this.model.bypass = value === 1;
    if (this.device.readConfig(CONFIG_BYPASS, 1) !== (this.model.bypass ? 1 : 0)) {
      violated('bypass is another');
    }
  }

  /** Adds an endpoint, or removes the one of that ID. */
  toggleEndpoint(id: number): void {
    if (this.model.endpoints.has(id)) {
      this.device.removeEndpoint(id);
      this.model.leave(id);
      this.model.endpoints.delete(id);
    } else {
      const reserved = this.setup.reserved(id);
      this.device.addEndpoint({ id, reserved });
      this.model.endpoints.set(id, reserved);
    }
  }

  /** Has the requests answered that are in the queue, and compares. */
  answerAll(): void {
    const { requests } = this;
    if (!this.isUp || requests.available.length === 0) return;
    const buffers = requests.available.slice();
    const interrupts = this.#interrupts[0]!;
    for (let isLeft = true, turn = 0; isLeft; turn += 1) {
      isLeft = this.device.notifyQueue(0);
      if (turn > buffers.length) violated('the request queue is not worked through');
    }
    if (requests.held.size > 0) violated('a request is kept');
    if (requests.used.length !== buffers.length) violated('not all requests came back');
    if (this.#interrupts[0] === interrupts || !requests.isSilent) violated('no interrupt');
    for (const { buffer, length } of requests.used.splice(0)) this.#compare(buffer, length);
    this.guest.arena.check();
  }

  /** Whether a device can emit such an access. */
  canReach(address: number, length: number): boolean {
    return address + length - 1 <= (this.setup.reach ?? Number.POSITIVE_INFINITY);
  }

  /** Compares where the model and the backend send an access of each endpoint. */
  translateAll(address: number, length: number, access: number): void {
    if (!this.canReach(address, length)) return;
    for (const endpoint of [...this.model.endpoints.keys(), 11, 12]) {
      const code = this.#backend.translate(endpoint, address, length, access, this.#out);
      const expected = this.model.translate(endpoint, address, access);
      if ('fault' in expected) {
        if (code !== expected.fault) violated(`endpoint ${endpoint} at ${address}: ${code}`);
        continue;
      }
      const run = Math.min(length, expected.last - address + 1);
      const { physical, bypass } = this.#out;
      const isSame =
        code === 0 &&
        physical === expected.phys &&
        bypass === expected.bypass &&
        this.#out.length === run;
      if (!isSame) violated(`endpoint ${endpoint} at ${address}: another translation`);
    }
  }

  get interrupted(): number {
    return this.#interrupts[1]!;
  }

  end(): void {
    this.answerAll();
    this.guest.arena.check();
  }

  #compare(buffer: RequestBuffer, length: number): void {
    const answer: ModelAnswer = this.#requestModel.answer(buffer);
    if (length !== answer.used) {
      violated(`used ${length} in place of ${answer.used}, for the status ${answer.status}`);
    }
    if (answer.status > STATUS_MAX) violated(`status ${answer.status}`);
    if (answer.isTorn) {
      for (const segment of buffer.writable) {
        this.guest.arena.admit(segment.address, segment.length);
      }
    }
    this.statuses |= 1 << (answer.status + 1);
  }

  #createDevice(): VirtioIommuDevice {
    const { limits, mmio, probeSize, reserved } = this.setup;
    return new VirtioIommuDevice({
      backend: (components) => {
        this.#backend = this.setup.backend()(components);
        return this.#backend;
      },
      endpoints: [...this.model.endpoints.keys()].map((id) => ({ id, reserved: reserved(id) })),
      inputRange: limits.input,
      domainRange: limits.domain,
      maxMappings: limits.maxMappings,
      probeSize,
      mmio,
    });
  }
}
