/** V86Bus: any PciFunction on the PCI bus of a v86, its memory, its interrupts, and its saved states. */
import type { PciFunction, PciHost } from '@viommu/transport-pci';
import type { AccessWidth } from '@viommu/virtqueue';
import { BarMap } from './bar-map.ts';
import { ConfigView } from './config-view.ts';
import { GuestRam } from './guest-ram.ts';
import { InterruptLines } from './interrupt-lines.ts';
import { wrapState } from './saved-state.ts';
import { V86Error } from './v86-error.ts';
import { findCpu, type V86Cpu, type V86Emulator } from './v86-internals.ts';

// In Node.js and in browsers alike.
declare const setTimeout: (callback: () => void, milliseconds: number) => unknown;

/** Bit 31 of the address register: an access to configuration space. */
const ENABLED = 0x8000_0000 | 0;
/** Rounds of work in one go; then the guest runs before the next. */
const ROUNDS = 64;
const LAST_PLACE = 0xff;

export class V86Bus {
  readonly #emulator: V86Emulator;
  readonly #cpu: V86Cpu;
  readonly #functions = new Map<number, ConfigView>();
  readonly #memory: GuestRam;
  readonly #lines: InterruptLines;
  readonly #bars: BarMap;
  #working = false;
  #isScheduled = false;

  /**
   * @param emulator made with `autostart: false`, once it has told `emulator-ready`
   * @throws V86Error `INTERNALS` when this is another v86 than the one that the package is made for
   */
  constructor(emulator: V86Emulator) {
    this.#emulator = emulator;
    const cpu = findCpu(emulator);
    this.#cpu = cpu;
    this.#memory = new GuestRam(cpu);
    this.#lines = new InterruptLines(cpu, (id) => this.#functions.get(id)?.pci.interruptPin);
    this.#bars = new BarMap(cpu, () => this.service());
    this.#wrapConfiguration();
    const reboot = cpu.reboot_internal;
    cpu.reboot_internal = () => {
      this.#reset();
      reboot.call(cpu);
    };
    wrapState(cpu, this.#functions, () => this.#restored());
  }

  /**
   * Puts a function on the bus, before the guest starts. Message signalled interrupts are not shown to the guest: v86 has none.
   *
   * @param place `device << 3 | function`, on bus 0, such as 0x80 for 00:10.0
   * @throws V86Error `PLACE` when something is there, or it is none; `RUNNING`
   */
  plug(place: number, pci: PciFunction): void {
    this.#requireStopped();
    const isPlace = Number.isInteger(place) && place >= 0 && place <= LAST_PLACE;
    if (!isPlace || this.#functions.has(place) || this.#cpu.devices.pci.devices[place]) {
      throw new V86Error(
        'PLACE',
        `${isPlace ? `there is a device at 0x${place.toString(16)}` : `there is no place ${place} on the bus`}: choose another, such as 0x80 for 00:10.0`,
      );
    }
    const host: PciHost = {
      memory: this.#memory,
      ownsMsixTable: false,
      // The capability is not shown, so it is never turned on.
      signalMsix: () => {},
      setIntx: (asserted) => this.#lines.set(place, asserted),
    };
    this.#functions.set(place, new ConfigView(pci));
    pci.connect(host);
    const inSlot = [...this.#functions].filter(([other]) => other >> 3 === place >> 3);
    for (const [, view] of inSlot) view.isMultifunction = inSlot.length > 1;
  }

  /**
   * Gives the guest's firmware an ACPI table, before the guest starts: the VIOT, for one. SeaBIOS 1.16 takes it as it is, and newer ones
   * do not take it. It is read after the firmware has placed the BARs: until then its bytes may change, and not its size.
   *
   * @param name in lower case, such as `viot`
   * @param table with its header, and a right checksum; it is not copied
   * @throws V86Error `RUNNING`
   */
  addAcpiTable(name: string, table: Uint8Array): void {
    this.#requireStopped();
    this.#cpu.option_roms.push({ name: `acpi/${name}`, data: table });
  }

  /**
   * Has the functions work. Done by itself after each register that the guest writes; to be called when a backend, such as a network,
   * has something for its device.
   */
  service(): void {
    if (this.#working) return;
    this.#working = true;
    let isLeft = true;
    try {
      for (let round = 0; isLeft && round < ROUNDS; round += 1) {
        isLeft = false;
        for (const { pci } of this.#functions.values()) if (pci.service()) isLeft = true;
      }
    } finally {
      // A function that fails is a bug of its own; the others work on.
      this.#working = false;
    }
    if (!isLeft || this.#isScheduled) return;
    this.#isScheduled = true;
    setTimeout(() => {
      this.#isScheduled = false;
      this.service();
    }, 0);
  }

  #requireStopped(): void {
    if (this.#emulator.is_running()) {
      throw new V86Error(
        'RUNNING',
        'the guest has begun: make the emulator with autostart: false, and run it afterwards',
      );
    }
  }

  #wrapConfiguration(): void {
    const { pci } = this.#cpu.devices;
    const query = pci.pci_query;
    pci.pci_query = () => {
      const view = this.#functions.get((pci.pci_addr[2]! << 8) | pci.pci_addr[1]!);
      if (view === undefined) {
        query.call(pci);
        return;
      }
      pci.pci_status32[0] = ENABLED;
      pci.pci_response32[0] = view.read(pci.pci_addr[0]! & 0xfc, 4);
    };
    this.#wrapWrite('pci_write8', 1);
    this.#wrapWrite('pci_write16', 2);
    this.#wrapWrite('pci_write32', 4);
  }

  #wrapWrite(name: 'pci_write8' | 'pci_write16' | 'pci_write32', width: AccessWidth): void {
    const { pci } = this.#cpu.devices;
    const write = pci[name];
    pci[name] = (address, value) => {
      const view = this.#functions.get((address >> 8) & 0xffff);
      if (view === undefined) {
        write.call(pci, address, value);
        return;
      }
      // v86's numbers of 32 bits have a sign.
      view.pci.writeConfig(address & 0xff, width, (value >>> 0) % 2 ** (8 * width));
      this.#placeBars(view);
      this.service();
    };
  }

  #placeBars(view: ConfigView): void {
    for (const { index, size } of view.pci.bars) {
      this.#bars.place(view.pci, index, size, view.addressOf(index));
    }
  }

  /** The machine restarts. */
  #reset(): void {
    for (const [place, view] of this.#functions) {
      view.pci.reset();
      this.#lines.lower(place);
      this.#placeBars(view);
    }
  }

  #restored(): void {
    for (const view of this.#functions.values()) this.#placeBars(view);
    this.service();
  }
}
