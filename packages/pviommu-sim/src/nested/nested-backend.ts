/** nestedBackend: joins stage 1, what the guest maps, with stage 2, where the VMM put guest memory, for devices of the host. */
import {
  type BackendCapabilities,
  type BackendComponents,
  type BackendFactory,
  type DomainMappings,
  type MappingVisitor,
  TRANSLATION_NO_DOMAIN,
  TRANSLATION_OK,
  type TranslationBackend,
  type TranslationResult,
  VIRTIO_IOMMU_S_OK,
  VIRTIO_IOMMU_S_RANGE,
} from '@viommu/iommu-core';
import { type Logger, VirtioError } from '@viommu/virtqueue';
import type { PhysicalIommu } from '../host/physical-iommu.ts';
import { checkOptions, SimBackend, type SimBackendOptions } from '../sim-backend.ts';
import { guestStatus } from './guest-status.ts';
import { joinCapabilities } from './joined-capabilities.ts';
import { ACCESS, JoinedDevice, type PassedThrough } from './joined-device.ts';
import { type MemorySlot, type MemorySlots, slotEnd } from './memory-slots.ts';

export interface NestedBackendOptions {
  /** Stage 2. */
  readonly slots: MemorySlots;
  /** Translates for the devices that are passed through. */
  readonly physical: PhysicalIommu;
  /**
   * Which device of the host an endpoint is; asked once for each endpoint, when it is added. Without an answer it is a
   * virtual device: for it stage 1 alone counts.
   */
  readonly passedThrough: (endpoint: number) => PassedThrough | undefined;
  /** How stage 1 is kept. */
  readonly stage1?: SimBackendOptions;
}

/**
 * When endpoints are added, `VirtioError` `CONTAINER` is thrown for one whose container another has.
 *
 * @throws VirtioError `SIM_OPTIONS`
 */
export function nestedBackend(options: NestedBackendOptions): BackendFactory {
  checkOptions(options.stage1 ?? {});
  return (components) => new NestedBackend(options, components);
}

interface JoinedDomain {
  readonly bypass: boolean;
  /** Stage 1. */
  readonly mappings: DomainMappings;
  /** The devices in it that are passed through. */
  readonly members: JoinedDevice[];
}

class NestedBackend implements TranslationBackend {
  readonly capabilities: BackendCapabilities;
  generation = 0;
  readonly #slots: MemorySlots;
  readonly #physical: PhysicalIommu;
  readonly #passedThrough: NestedBackendOptions['passedThrough'];
  readonly #logger: Logger;
  readonly #stage1: SimBackend;
  readonly #devices = new Map<number, JoinedDevice>();
  readonly #domains = new Map<number, JoinedDomain>();
  #bypass = false;

  constructor(options: NestedBackendOptions, { logger }: BackendComponents) {
    this.#slots = options.slots;
    this.#physical = options.physical;
    this.#passedThrough = options.passedThrough;
    this.#logger = logger;
    this.#stage1 = new SimBackend(options.stage1 ?? {});
    this.capabilities = joinCapabilities(this.#stage1.capabilities, options.physical.capabilities);
    options.slots.listen({
      slotAdded: (slot) => this.#slotAdded(slot),
      slotRemoved: (slot) => this.#slotRemoved(slot),
    });
  }

  addEndpoint(endpoint: number): void {
    const passedThrough = this.#passedThrough(endpoint);
    if (passedThrough === undefined) {
      this.#stage1.addEndpoint(endpoint);
      return;
    }
    const others = [...this.#devices.values()];
    if (others.some(({ container }) => container === passedThrough.container)) {
      throw new VirtioError(
        'CONTAINER',
        `endpoint ${endpoint} shares its container with another, and so could not be in a domain of its own: pass one function per group through`,
      );
    }
    const device = new JoinedDevice(endpoint, passedThrough, this.#slots);
    this.#devices.set(endpoint, device);
    this.#warn(this.#move(device, undefined), device);
  }

  /** The container is empty then, and the host program may use it again. */
  removeEndpoint(endpoint: number): void {
    this.#stage1.removeEndpoint(endpoint);
    const device = this.#devices.get(endpoint);
    if (device === undefined) return;
    this.#leaveDomain(device);
    this.#devices.delete(endpoint);
  }

  createDomain(domain: number, bypass: boolean, mappings: DomainMappings): number {
    this.#domains.set(domain, { bypass, mappings, members: [] });
    return this.#stage1.createDomain(domain, bypass, mappings);
  }

  destroyDomain(domain: number): void {
    this.#stage1.destroyDomain(domain);
    this.#domains.delete(domain);
  }

  attach(endpoint: number, domain: number): number {
    const device = this.#devices.get(endpoint);
    if (device !== undefined) {
      const former = device.domain;
      const errno = this.#move(device, domain);
      if (errno < 0) {
        // There was room for it before, so there is now, unless the host has lost memory meanwhile.
        this.#warn(this.#move(device, former), device);
        return guestStatus(errno);
      }
    }
    return this.#stage1.attach(endpoint, domain);
  }

  detach(endpoint: number): void {
    this.#stage1.detach(endpoint);
    const device = this.#devices.get(endpoint);
    if (device !== undefined) this.#warn(this.#move(device, undefined), device);
  }

  map(
    domain: number,
    virtStart: number,
    virtEnd: number,
    physStart: number,
    flags: number,
  ): number {
    const { members } = this.#domains.get(domain)!;
    const physEnd = physStart + (virtEnd - virtStart);
    if (members.length > 0 && !this.#slots.covers(physStart, physEnd, flags & ACCESS)) {
      return VIRTIO_IOMMU_S_RANGE;
    }
    for (const device of members) {
      const errno = device.join(virtStart, virtEnd, physStart, flags);
      if (errno < 0) {
        for (const joined of members) joined.leave(virtStart, virtEnd);
        return guestStatus(errno);
      }
    }
    return VIRTIO_IOMMU_S_OK;
  }

  unmap(domain: number, virtStart: number, virtEnd: number): number {
    for (const device of this.#domains.get(domain)!.members) device.leave(virtStart, virtEnd);
    return VIRTIO_IOMMU_S_OK;
  }

  setBypass(bypass: boolean): void {
    this.#stage1.setBypass(bypass);
    if (bypass === this.#bypass) return;
    this.#bypass = bypass;
    for (const device of this.#devices.values()) {
      if (device.domain === undefined) this.#warn(this.#move(device, undefined), device);
    }
  }

  translate(
    endpoint: number,
    address: number,
    length: number,
    access: number,
    out: TranslationResult,
  ): number {
    const device = this.#devices.get(endpoint);
    if (device === undefined) {
      return this.#stage1.translate(endpoint, address, length, access, out);
    }
    if (device.domain === undefined && !this.#bypass) return TRANSLATION_NO_DOMAIN;
    const code = device.translate(this.#physical, address, length, access, out);
    if (code === TRANSLATION_OK) out.bypass = this.#bypasses(device);
    return code;
  }

  /** Whether stage 2 alone translates for the device. */
  #bypasses({ domain }: JoinedDevice): boolean {
    return domain === undefined ? this.#bypass : this.#domains.get(domain)!.bypass;
  }

  /** Empties the device's container and fills it with what its new domain has. @returns 0 or a negative errno */
  #move(device: JoinedDevice, domain: number | undefined): number {
    this.#leaveDomain(device);
    device.domain = domain;
    if (domain !== undefined) this.#domains.get(domain)!.members.push(device);

    let answer = 0;
    if (this.#bypasses(device)) {
      for (const slot of this.#slots.slots) {
        if (answer === 0) answer = this.#joinIdentity(device, slot);
      }
    } else if (domain !== undefined) {
      this.#visit(domain, (virtStart, virtEnd, physStart, flags) => {
        if (answer === 0) answer = device.join(virtStart, virtEnd, physStart, flags);
      });
    }
    if (answer < 0) device.leaveAll();
    return answer;
  }

  #leaveDomain(device: JoinedDevice): void {
    device.leaveAll();
    if (device.domain === undefined) return;
    const { members } = this.#domains.get(device.domain)!;
    members.splice(members.indexOf(device), 1);
    device.domain = undefined;
  }

  /** Memory beyond the addresses that devices have is out of their reach. */
  #joinIdentity(device: JoinedDevice, slot: MemorySlot): number {
    const { inputEnd } = this.capabilities;
    const end = Math.min(slotEnd(slot), inputEnd);
    return device.joinSlot(slot, slot.guestStart, end, slot.guestStart, ACCESS);
  }

  #slotAdded(slot: MemorySlot): void {
    for (const device of this.#devices.values()) {
      if (this.#bypasses(device)) {
        this.#warn(this.#joinIdentity(device, slot), device);
      } else if (device.domain !== undefined) {
        this.#visit(device.domain, (virtStart, virtEnd, physStart, flags) => {
          const answer = device.joinSlot(slot, virtStart, virtEnd, physStart, flags);
          this.#warn(answer, device);
        });
      }
    }
  }

  #slotRemoved(slot: MemorySlot): void {
    this.generation += 1;
    for (const device of this.#devices.values()) {
      if (this.#bypasses(device)) {
        device.leaveSlot(slot, slot.guestStart, slotEnd(slot), slot.guestStart);
      } else if (device.domain !== undefined) {
        this.#visit(device.domain, (virtStart, virtEnd, physStart) => {
          device.leaveSlot(slot, virtStart, virtEnd, physStart);
        });
      }
    }
  }

  #visit(domain: number, visitor: MappingVisitor): void {
    this.#domains.get(domain)!.mappings.visit(0, this.capabilities.inputEnd, visitor);
  }

  /** Where the device core expects no refusal, accesses fault instead. */
  #warn(answer: number, { endpoint }: JoinedDevice): void {
    if (answer >= 0) return;
    this.#logger.warn(
      `Endpoint 0x${endpoint.toString(16)}: the host's container refused memory with errno ${-answer}; accesses to it fault`,
    );
  }
}
