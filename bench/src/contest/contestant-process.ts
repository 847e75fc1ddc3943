/** Starts a contestant as a process of its own, and speaks the protocol with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { BenchError } from '../bench-error.ts';
import type { Contestant, ContestantCommand } from './contestant.ts';

/** The longest set-up or batch; what takes longer hangs. */
const ANSWER_MILLISECONDS = 120_000;
const ERROR_TEXT_MAX = 4096;

/** @throws BenchError when it cannot be started or does not say that it is ready */
export async function startContestant(command: ContestantCommand): Promise<Contestant> {
  const contestant = new ContestantProcess(command);
  await contestant.expectReady();
  return contestant;
}

class ContestantProcess implements Contestant {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;
  #errorText = '';
  #startError: Error | undefined;

  constructor({ name, program, work }: ContestantCommand) {
    this.name = `${name} (${work.join(' ')})`;
    const [file = '', ...args] = program;
    this.#child = spawn(file, [...args, ...work], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.on('error', (error) => {
      this.#startError = error;
    });
    // A contestant that has ended is noticed by its missing answer.
    this.#child.stdin!.on('error', () => {});
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errorText = (this.#errorText + text).slice(-ERROR_TEXT_MAX);
    });
    this.#exited = new Promise((resolve) => this.#child.on('close', resolve));
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async expectReady(): Promise<void> {
    const line = await this.#answer();
    if (line !== 'ready') await this.#failed(`said "${line}" instead of "ready"`);
  }

  async run(operations: number): Promise<number> {
    this.#child.stdin!.write(`run ${operations}\n`);
    const line = await this.#answer();
    const nanoseconds = Number(line);
    if (line.trim() === '' || !Number.isSafeInteger(nanoseconds) || nanoseconds < 0) {
      await this.#failed(`said "${line}" instead of nanoseconds`);
    }
    return nanoseconds;
  }

  async close(): Promise<void> {
    this.#child.stdin!.end();
    await this.#exited;
    if (this.#child.exitCode !== 0) await this.#failed('did not end well');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #answer(): Promise<string> {
    const timer = setTimeout(() => this.kill(), ANSWER_MILLISECONDS);
    try {
      const { value, done } = await this.#lines.next();
      if (done) await this.#failed('ended early');
      return value as string;
    } finally {
      clearTimeout(timer);
    }
  }

  async #failed(what: string): Promise<never> {
    this.kill();
    await this.#exited;
    const { exitCode, signalCode } = this.#child;
    const how = this.#startError?.message ?? `exit code ${exitCode ?? signalCode}`;
    const [reason] = this.#errorText.trim().split('\n').slice(-1);
    throw new BenchError(`${this.name} ${what}: ${reason || how}`);
  }
}
