/** RequestModel: what becomes of one buffer of the request queue, byte by byte. Numbers are written out from the standard. */
import type { IommuModel } from './iommu-model.ts';
import type { Features } from './iommu-rules.ts';
import type { ModelMemory } from './ring-model.ts';

const [ATTACH, DETACH, MAP, UNMAP, PROBE] = [1, 2, 3, 4, 5] as const;
const [OK, INVAL, NOENT] = [0, 4, 6] as const;
/** By type: bytes of the readable part. */
const READABLE_SIZES = [0, 20, 20, 36, 28, 72];
const LONGEST_READABLE = 72;
const TAIL_SIZE = 4;
/** A writable part that is longer, and longer than PROBE needs, belongs to no request. */
const WRITABLE_MAX = 4096;
const [READ, WRITE] = [1, 2] as const;

export interface RequestSegment {
  readonly address: number;
  readonly length: number;
}

export interface RequestBuffer {
  readonly readable: readonly RequestSegment[];
  readonly writable: readonly RequestSegment[];
}

export interface ModelAnswer {
  /** -1 when there is none. */
  readonly status: number;
  readonly used: number;
  /** Memory refused a part of the answer: what stands in the writable part is not known. */
  readonly isTorn: boolean;
}

export class RequestModel {
  readonly #memory: ModelMemory;
  readonly #iommu: IommuModel;
  readonly #features: Features;
  readonly #probeSize: number;
  readonly #request = new Uint8Array(LONGEST_READABLE);

  constructor(memory: ModelMemory, iommu: IommuModel, features: Features, probeSize: number) {
    this.#memory = memory;
    this.#iommu = iommu;
    this.#features = features;
    this.#probeSize = probeSize;
  }

  answer({ readable, writable }: RequestBuffer): ModelAnswer {
    const none = { status: -1, used: 0, isTorn: false };
    const request = this.#gather(readable);
    const length = writable.reduce((sum, segment) => sum + segment.length, 0);
    const longest = Math.max(WRITABLE_MAX, this.#probeSize + TAIL_SIZE);
    if (request === undefined || length < TAIL_SIZE || length > longest) return none;
    const reply = new Uint8Array(length);
    const status = this.#perform(request, reply);
    if (status < 0) return none;
    reply[length - TAIL_SIZE] = status;
    const isWritten = this.#scatter(writable, reply);
    return { status, used: isWritten ? length : 0, isTorn: !isWritten };
  }

  #perform(request: DataView, reply: Uint8Array): number {
    const type = request.byteLength > 0 ? request.getUint8(0) : 0;
    const size = READABLE_SIZES[type] ?? 0;
    const isMapping = type === MAP || type === UNMAP;
    if (size === 0 || request.byteLength < size || (isMapping && !this.#features.mapUnmap)) {
      return -1;
    }
    const word = (at: number) => request.getUint32(at, true);
    const long = (at: number) => {
      const value = request.getBigUint64(at, true);
      return value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : Number(value);
    };
    switch (type) {
      case ATTACH:
        return this.#iommu.attach(word(4), word(8), word(12), word(16));
      case DETACH:
        return this.#iommu.detach(word(4), word(8));
      case MAP: {
        const mapping = { start: long(8), end: long(16), phys: long(24), flags: word(32) };
        return this.#iommu.map(word(4), mapping);
      }
      case UNMAP:
        return this.#iommu.unmap(word(4), long(8), long(16));
      case PROBE:
        return this.#probe(word(4), reply);
      default:
        return -1;
    }
  }

  #probe(endpoint: number, reply: Uint8Array): number {
    if (reply.length - TAIL_SIZE < this.#probeSize) return INVAL;
    const reserved = this.#iommu.endpoints.get(endpoint);
    if (reserved === undefined) return NOENT;
    const view = new DataView(reply.buffer);
    reserved.forEach(({ start, end, subtype }, index) => {
      const at = 24 * index;
      view.setUint16(at, 1, true);
      view.setUint16(at + 2, 20, true);
      view.setUint8(at + 4, subtype);
      view.setBigUint64(at + 8, BigInt(start), true);
      view.setBigUint64(at + 16, BigInt(end), true);
    });
    return OK;
  }

  /** @returns undefined when a byte is not in memory; what lies behind the longest request is not looked at */
  #gather(segments: readonly RequestSegment[]): DataView | undefined {
    let done = 0;
    for (const { address, length } of segments) {
      const run = Math.min(length, LONGEST_READABLE - done);
      if (run > 0 && !this.#memory.holds(address, run, READ)) return undefined;
      for (let byte = 0; byte < run; byte += 1) {
        this.#request[done + byte] = this.#memory.expected(address + byte, 1);
      }
      done += run;
    }
    return new DataView(this.#request.buffer, 0, done);
  }

  #scatter(segments: readonly RequestSegment[], reply: Uint8Array): boolean {
    let done = 0;
    for (const { address, length } of segments) {
      if (length > 0 && !this.#memory.holds(address, length, WRITE)) return false;
      for (let byte = 0; byte < length; byte += 1) {
        this.#memory.expect(address + byte, reply[done + byte]!, 1);
      }
      done += length;
    }
    return true;
  }
}
