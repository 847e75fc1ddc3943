/** SHA-256 of bytes (FIPS 180-4): what browsers have of it answers later, and to pages of secure origins alone. */

const BLOCK = 64;
/** The padding: a byte 0x80, zeros, and the length in 8 bytes. */
const PADDING = 9;
const ROUNDS = 64;

const PRIMES = firstPrimes(ROUNDS);
const STATE = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const CONSTANTS = Uint32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));

/** In hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  const state = Uint32Array.from(STATE);
  const schedule = new Uint32Array(ROUNDS);
  const whole = bytes.length - (bytes.length % BLOCK);
  const end = new Uint8Array(Math.ceil((bytes.length - whole + PADDING) / BLOCK) * BLOCK);
  end.set(bytes.subarray(whole));
  end[bytes.length - whole] = 0x80;
  new DataView(end.buffer).setBigUint64(end.length - 8, BigInt(bytes.length) * 8n);
  addBlocks(state, schedule, bytes.subarray(0, whole));
  addBlocks(state, schedule, end);
  return Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
}

function addBlocks(state: Uint32Array, schedule: Uint32Array, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += BLOCK) {
    for (let word = 0; word < 16; word += 1) schedule[word] = view.getUint32(at + word * 4);
    addBlock(state, schedule);
  }
}

/** @param w the block's 16 words; the others are made of them */
function addBlock(state: Uint32Array, w: Uint32Array): void {
  for (let at = 16; at < ROUNDS; at += 1) {
    const early = w[at - 15]!;
    const late = w[at - 2]!;
    const lower = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
    const upper = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
    w[at] = w[at - 16]! + lower + w[at - 7]! + upper;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let at = 0; at < ROUNDS; at += 1) {
    const choice = (e & f) ^ (~e & g);
    const upper = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const first = (h + upper + choice + CONSTANTS[at]! + w[at]!) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const lower = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + lower + majority) | 0];
  }
  for (const [at, value] of [a, b, c, d, e, f, g, h].entries()) state[at]! += value;
}

function rotated(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

/** The first 32 bits behind the point. */
function fraction(value: number): number {
  return ((value - Math.floor(value)) * 2 ** 32) >>> 0;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate += 1) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}
