/** Qmp: QEMU's machine protocol, as far as plugging devices in and out needs it. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

interface QmpMessage {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** One command at a time. */
export class Qmp {
  readonly #socket: Socket;
  readonly #answers: QmpMessage[] = [];
  /** What QEMU told without being asked, and nobody has waited for yet. */
  readonly #events: QmpMessage[] = [];
  #changed: () => void = () => {};
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    createInterface(socket).on('line', (line) => {
      const message = JSON.parse(line) as QmpMessage;
      if (message.event !== undefined) this.#events.push(message);
      else if (message.return !== undefined || message.error !== undefined) {
        this.#answers.push(message);
      }
      this.#changed();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#changed();
    });
  }

  /** @param path of QEMU's `-qmp unix:PATH,server=on,wait=off` */
  static async connect(path: string): Promise<Qmp> {
    const socket = createConnection(path);
    await once(socket, 'connect');
    const qmp = new Qmp(socket);
    await qmp.execute('qmp_capabilities');
    return qmp;
  }

  /** @throws Error with QEMU's own words */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    const answer = await this.#until(() => this.#answers.shift());
    if (answer.error !== undefined) throw new Error(`${command}: ${answer.error.desc}`);
    return answer.return;
  }

  /** Waits for an event about a device. @throws Error when QEMU ends */
  async deviceEvent(event: string, device: string): Promise<void> {
    await this.#until(() => {
      const index = this.#events.findIndex(
        (message) => message.event === event && message.data?.device === device,
      );
      return index < 0 ? undefined : this.#events.splice(index, 1)[0];
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  async #until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#closed) throw new Error('QEMU has ended');
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}
