/** Qtest: a QEMU without a guest, driven through its qtest protocol: registers and memory, each access answered before the next. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QemuProgram } from '../../src/guest/qemu-program.ts';

/** How long an answer may take, on a machine that does much else; a QEMU that needs longer hangs. */
const PATIENCE_MILLISECONDS = 30_000;
/** Looks for an answer before this process sleeps between two. */
const EAGER_LOOKS = 200;
const SLEEP_MILLISECONDS = 0.1;

const SUFFIX = { 1: 'b', 2: 'w', 4: 'l' } as const;
type Width = keyof typeof SUFFIX;

export class Qtest {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #commands: number;
  readonly #answers: number;
  readonly #chunk = Buffer.alloc(1 << 16);
  readonly #sleep = new Int32Array(new SharedArrayBuffer(4));
  #pending = '';

  /** @param args the machine; it has no display and no default devices */
  constructor(qemu: QemuProgram, args: readonly string[]) {
    this.#directory = mkdtempSync(join(tmpdir(), 'viommu-qtest-'));
    const [commands, answers] = ['commands', 'answers'].map((name) => join(this.#directory, name));
    execFileSync('mkfifo', ['-m', '600', commands!, answers!]);
    // A reader that does not block can be opened first; so can a writer once there is a reader.
    this.#answers = openSync(answers!, constants.O_RDONLY | constants.O_NONBLOCK);
    const childOut = openSync(answers!, constants.O_WRONLY);
    const childIn = openSync(commands!, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#commands = openSync(commands!, constants.O_WRONLY);
    const all = [
      ...['-accel', 'qtest', '-qtest', 'stdio', '-qtest-log', 'none'],
      ...['-display', 'none', '-nodefaults', '-run-with', 'exit-with-parent=on', ...args],
    ];
    this.#child = spawn(qemu.command, [...qemu.arguments, ...all], {
      stdio: [childIn, childOut, 'ignore'],
      env: { ...process.env, ...qemu.environment },
    });
    this.#child.on('error', () => {});
    closeSync(childIn);
    closeSync(childOut);
  }

  close(): void {
    this.#child.kill('SIGKILL');
    closeSync(this.#commands);
    closeSync(this.#answers);
    rmSync(this.#directory, { recursive: true });
  }

  readPort(port: number, width: Width): number {
    return Number(this.#ask(`in${SUFFIX[width]} ${port}`));
  }

  writePort(port: number, width: Width, value: number): void {
    this.#ask(`out${SUFFIX[width]} ${port} ${value}`);
  }

  /** A register in the memory map. */
  readRegister(address: number, width: Width): number {
    return Number(BigInt(this.#ask(`read${SUFFIX[width]} ${address}`)));
  }

  writeRegister(address: number, width: Width, value: number): void {
    this.#ask(`write${SUFFIX[width]} ${address} ${value}`);
  }

  readMemory(address: number, length: number): Buffer {
    return Buffer.from(this.#ask(`b64read ${address} ${length}`), 'base64');
  }

  writeMemory(address: number, bytes: Uint8Array): void {
    this.#ask(
      `b64write ${address} ${bytes.length} ${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')}`,
    );
  }

  /** @returns what stands behind `OK` */
  #ask(command: string): string {
    this.#send(`${command}\n`);
    const [word, ...values] = this.#line().split(' ');
    if (word === 'OK') return values.join(' ');
    throw new Error(`QEMU answers "${word} ${values.join(' ')}" to "${command}"`);
  }

  #send(text: string): void {
    const bytes = Buffer.from(text);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#commands, bytes, done);
    } catch (error) {
      throw new Error('QEMU has ended', { cause: error });
    }
  }

  #line(): string {
    const deadline = performance.now() + PATIENCE_MILLISECONDS;
    for (let looks = 0; ; looks += 1) {
      const end = this.#pending.indexOf('\n');
      if (end >= 0) {
        const line = this.#pending.slice(0, end);
        this.#pending = this.#pending.slice(end + 1);
        // Interrupts are told in between when somebody has asked for them.
        if (!line.startsWith('IRQ')) return line.trim();
        continue;
      }
      if (this.#receive()) continue;
      if (performance.now() > deadline) throw new Error('QEMU does not answer: it hangs');
      if (looks > EAGER_LOOKS) Atomics.wait(this.#sleep, 0, 0, SLEEP_MILLISECONDS);
    }
  }

  /** @returns whether something came */
  #receive(): boolean {
    try {
      const length = readSync(this.#answers, this.#chunk, 0, this.#chunk.length, null);
      if (length === 0) throw new Error('QEMU has ended');
      this.#pending += this.#chunk.toString('latin1', 0, length);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
      throw error;
    }
  }
}
