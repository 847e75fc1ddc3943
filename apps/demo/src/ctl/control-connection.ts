/** ControlConnection: the client's end of a control socket. */
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { CommandError, messageOf } from '../command-error.ts';
import { CONTROL_VERSION } from '../control/control-protocol.ts';

export class ControlConnection {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /** @throws {CommandError} when no server listens there, or one that is not ours */
  static async open(path: string): Promise<ControlConnection> {
    const socket = createConnection(path);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
    } catch (error) {
      throw new CommandError(`no viommu serve can be asked at ${path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    // What goes wrong from here on ends the lines.
    socket.on('error', () => {});
    const connection = new ControlConnection(socket);
    const greeting = await connection.next();
    if (greeting?.viommu !== 'control' || greeting.version !== CONTROL_VERSION) {
      connection.close();
      throw new CommandError(
        greeting === undefined
          ? `the server at ${path} has turned us away: it serves its own user, and 8 clients at once`
          : `the server at ${path} is not of this version of viommu`,
      );
    }
    return connection;
  }

  /** @throws {CommandError} with what the server objects to */
  async ask<T>(command: string, fields: Readonly<Record<string, unknown>> = {}): Promise<T> {
    this.#socket.write(`${JSON.stringify({ command, ...fields })}\n`);
    const answer = await this.next();
    if (answer === undefined) throw new CommandError('the server has gone');
    if (typeof answer.error === 'string') throw new CommandError(answer.error);
    return answer.result as T;
  }

  /** The next line; undefined when the server has gone. */
  async next(): Promise<Record<string, unknown> | undefined> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : (JSON.parse(value) as Record<string, unknown>);
  }

  close(): void {
    this.#socket.destroy();
  }
}
