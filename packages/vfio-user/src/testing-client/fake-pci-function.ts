/** A PCI function for tests that records what is done to it. */
import type { PciFunction, PciHost } from '@viommu/transport-pci';
import type { AccessWidth } from '@viommu/virtqueue';

export class FakePciFunction implements PciFunction {
  readonly bars = [
    { index: 0, size: 16384 },
    { index: 1, size: 4096 },
  ];
  readonly msixVectors = 4;
  readonly interruptPin = 1;
  readonly config = new Uint8Array(256);
  readonly bar = [new Uint8Array(16384), new Uint8Array(4096)];
  /** One line per call, such as `writeBar 0 +16 4 0x7`. */
  readonly calls: string[] = [];
  host: PciHost | undefined;
  /** What `service` does. */
  work: () => boolean = () => false;

  readConfig(offset: number, width: AccessWidth): number {
    this.calls.push(`readConfig +${offset} ${width}`);
    return load(this.config, offset, width);
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    this.calls.push(`writeConfig +${offset} ${width} 0x${value.toString(16)}`);
    store(this.config, offset, width, value);
  }

  readBar(bar: number, offset: number, width: AccessWidth): number {
    this.calls.push(`readBar ${bar} +${offset} ${width}`);
    return load(this.bar[bar]!, offset, width);
  }

  writeBar(bar: number, offset: number, width: AccessWidth, value: number): void {
    this.calls.push(`writeBar ${bar} +${offset} ${width} 0x${value.toString(16)}`);
    store(this.bar[bar]!, offset, width, value);
  }

  connect(host: PciHost): void {
    this.calls.push('connect');
    this.host = host;
  }

  memoryChanged(): void {
    this.calls.push('memoryChanged');
  }

  disconnect(): void {
    this.calls.push('disconnect');
    this.host = undefined;
  }

  reset(): void {
    this.calls.push('reset');
  }

  service(): boolean {
    return this.work();
  }

  /** The calls since the last time. */
  takeCalls(): string[] {
    return this.calls.splice(0);
  }
}

function load(bytes: Uint8Array, offset: number, width: AccessWidth): number {
  let value = 0;
  for (let byte = width - 1; byte >= 0; byte--) {
    value = value * 256 + bytes[offset + byte]!;
  }
  return value;
}

function store(bytes: Uint8Array, offset: number, width: AccessWidth, value: number): void {
  for (let byte = 0; byte < width; byte++) {
    bytes[offset + byte] = (value >>> (8 * byte)) & 0xff;
  }
}
