/** RequestWriter: puts requests into memory and into the queue: near valid ones, and bytes of any kind, cut anyhow. */
import type { InputReader } from '../../engine/input-reader.ts';
import type { RequestSegment } from '../../models/request-model.ts';
import type { IommuRun } from './iommu-run.ts';

const [ATTACH, DETACH, MAP, UNMAP, PROBE] = [1, 2, 3, 4, 5] as const;
/** By type: bytes of the readable part. */
const READABLE_SIZES = [0, 20, 20, 36, 28, 72];
const TAIL_SIZE = 4;
/** From `home` on: where requests and answers are, one after the other. */
const REQUESTS = 0x1000;
const ANSWERS = 0x2000;
const AREA = 0x800;
const SLOT = 0x40;
/** Requests in the queue at once. */
const QUEUED_MAX = 8;
const RAW_MAX = 80;
const EDGES = [
  2 ** 32 - 1,
  2 ** 48 - 1,
  2 ** 52 - 1,
  2 ** 52,
  2 ** 53 - 1,
  0xfee0_0000,
  0,
  2 ** 40,
];

export class RequestWriter {
  /** The addresses that the last request was about. */
  readonly last = { start: 0, end: 0 };
  readonly #input: InputReader;
  readonly #run: IommuRun;
  #at = 0;
  #isMoved = false;
  #slot = 0;

  constructor(input: InputReader, run: IommuRun) {
    this.#input = input;
    this.#run = run;
  }

  /** One whose fields are near what is valid. */
  request(): void {
    const input = this.#input;
    const code = input.byte();
    const type = [ATTACH, DETACH, MAP, UNMAP, PROBE, MAP, MAP, UNMAP][code % 8]!;
    const base = this.#begin();
    this.#put(type, 4);
    switch (type) {
      case ATTACH:
        this.#domain();
        this.#endpoint();
        this.#put(this.#rarely(input.byte() < 0xd0 ? 0 : 1, 0xff), 4);
        this.#put(this.#rarely(0, 1), 4);
        break;
      case DETACH:
        this.#domain();
        this.#endpoint();
        break;
      case MAP:
        this.#domain();
        this.#range();
        this.#put64(this.#phys());
        this.#put(this.#rarely(input.byte() % 4, 0xff), 4);
        break;
      case UNMAP:
        this.#domain();
        this.#range();
        break;
      default:
        this.#endpoint();
    }
    const { probeSize } = this.#run.setup;
    // Mostly as long as PROBE needs it.
    const writable = TAIL_SIZE + (type === PROBE ? Math.min(this.#rarely(probeSize, 3), 600) : 0);
    this.#send(base, READABLE_SIZES[type]!, writable, (code & 0xe0) === 0xe0);
  }

  /** Bytes as they come. */
  raw(): void {
    const base = this.#begin();
    const length = this.#input.byte() % RAW_MAX;
    for (let byte = 0; byte < length; byte += 1) this.#put(this.#input.byte(), 1);
    this.#send(base, length, this.#input.byte() % 16, true);
  }

  #begin(): number {
    if (this.#run.requests.available.length >= QUEUED_MAX) this.#run.answerAll();
    this.#slot = (this.#slot + 1) % QUEUED_MAX;
    const base = this.#run.guest.home + REQUESTS + this.#slot * 2 * SLOT;
    for (let byte = 0; byte < 2 * SLOT; byte += 4) this.#run.guest.arena.put(base + byte, 0, 4);
    this.#at = base;
    return base;
  }

  #send(base: number, readable: number, writable: number, isOdd: boolean): void {
    const answers = this.#run.guest.home + ANSWERS + this.#slot * (AREA / QUEUED_MAX);
    this.#isMoved = false;
    const buffer = {
      readable: isOdd ? this.#cut(base, readable) : [{ address: base, length: readable }],
      writable: isOdd ? this.#cut(answers, writable) : [{ address: answers, length: writable }],
    };
    // What memory refuses of an answer is known only afterwards, so nothing else may be written meanwhile.
    if (this.#isMoved) this.#run.answerAll();
    this.#run.requests.available.push(buffer);
    if (!isOdd || this.#isMoved || this.#input.byte() % 2 === 0) this.#run.answerAll();
  }

  /** Pieces in a row, of which one may be elsewhere, or as long as none is. */
  #cut(base: number, length: number): RequestSegment[] {
    const input = this.#input;
    const segments: RequestSegment[] = [];
    const code = input.byte();
    const wanted = code & 0x80 ? input.byte() : length;
    let done = 0;
    for (let piece = 0; piece < code % 5 && done < wanted; piece += 1) {
      const run = Math.min(input.byte() % 32, wanted - done);
      segments.push({ address: base + done, length: run });
      done += run;
    }
    if (done < wanted) segments.push({ address: base + done, length: wanted - done });
    if ((code & 0x60) === 0x60 && segments.length > 0) {
      this.#isMoved = true;
      const moved = input.byte() % segments.length;
      segments[moved] = { address: this.#place(), length: this.#pieceLength(segments[moved]!) };
    }
    return segments;
  }

  #place(): number {
    const { home } = this.#run.guest;
    const input = this.#input;
    const places = [
      home,
      home + 0x3ff8,
      home + 0x2ffc,
      home + 0x1000,
      2 ** 52,
      0x1000,
      home + 0x2000,
    ];
    return input.pick(places) + (input.byte() % 16);
  }

  #pieceLength({ length }: RequestSegment): number {
    const code = this.#input.byte();
    if (code < 0xf0) return length;
    return [0, 1, 4096, 4097, 0xffff_ffff][code % 5]!;
  }

  #domain(): void {
    this.#put(this.#rarely(this.#input.byte() % 4, 0xffff_ffff), 4);
  }

  #endpoint(): void {
    this.#put(this.#rarely(8 + (this.#input.byte() % 4), 0xffff_ffff), 4);
  }

  #range(): void {
    const { granule } = this.#run.setup.limits;
    const code = this.#input.byte();
    const start = this.#address();
    const pages = code & 0x80 ? this.#input.word32() : code % 6;
    const odd = (code & 0x70) === 0x70 ? (this.#input.byte() % 5) - 2 : 0;
    const end = Math.min(Math.max(start + pages * granule - 1 + odd, 0), Number.MAX_SAFE_INTEGER);
    this.last.start = start;
    this.last.end = end;
    this.#put64(start);
    this.#put64((code & 0xf) === 0xf ? Number.MAX_SAFE_INTEGER : end);
  }

  /** Mostly a few granules above 0. */
  #address(): number {
    const { granule } = this.#run.setup.limits;
    const input = this.#input;
    const code = input.byte();
    if (code < 0xc0) return (code % 64) * granule;
    if (code < 0xe0) return Math.max(input.pick(EDGES) + 1 - (code % 32) * granule, 0);
    return code < 0xf0 ? input.word16() : input.pick(EDGES);
  }

  /** Mostly where there is memory; or just behind it. */
  #phys(): number {
    const { granule } = this.#run.setup.limits;
    const { home } = this.#run.guest;
    const input = this.#input;
    const code = input.byte();
    if (code >= 0xe0) return input.pick(EDGES);
    const address = code < 0x40 ? code * granule : home + (code % 0x40) * 0x110;
    return address - (address % granule);
  }

  #rarely(usual: number, other: number): number {
    const code = this.#input.byte();
    if (code < 0xf0) return usual;
    return code % 2 === 0 ? code : other;
  }

  #put(value: number, width: number): void {
    this.#run.guest.arena.put(this.#at, value, width);
    this.#at += width;
  }

  #put64(value: number): void {
    this.#put(value % 2 ** 32, 4);
    this.#put(Math.floor(value / 2 ** 32), 4);
  }
}
