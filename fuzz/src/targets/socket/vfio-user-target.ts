/** VfioUserTarget: clients of a real server, over real sockets, that send what they like. */
import { InputReader } from '../../engine/input-reader.ts';
import type { FuzzTarget } from '../../engine/target.ts';
import { DmaExercise } from './dma-exercise.ts';
import { MessageWriter } from './message-writer.ts';
import { type SentFile, SocketScene } from './socket-scene.ts';
import { SocketSession } from './socket-session.ts';

/** Of one input. */
const OPERATIONS_MAX = 32;
const RAW_MAX = 64;
/** Most descriptors that are allowed with one message; some inputs send more. */
const DESCRIPTORS_MAX = 16;
const COMMANDS = [2, 9, 10, 8, 3, 2, 9, 15, 13, 7, 5, 4, 1, 11, 14, 200];
/** By command, whether descriptors mean something to it. */
const WITH_DESCRIPTORS = [2, 8];

export class VfioUserTarget implements FuzzTarget {
  readonly #input = new InputReader();
  readonly #writer = new MessageWriter(this.#input);
  #scene: SocketScene | undefined;

  run(bytes: Uint8Array): number {
    this.#input.begin(bytes);
    this.#scene ??= new SocketScene();
    const scene = this.#scene;
    try {
      return scene.withClock(() => this.#converse(scene));
    } catch (error) {
      // What is left of it would be in the way of the next input.
      this.#scene = undefined;
      scene.close();
      throw error;
    }
  }

  #converse(scene: SocketScene): number {
    const input = this.#input;
    let session = new SocketSession(scene);
    if (input.byte() < 0xe0) session.deliver(MessageWriter.version());
    let sessions = 1;
    let answers = 0;
    let dma = 0;
    for (let left = OPERATIONS_MAX; left > 0 && !input.isAtEnd; left -= 1) {
      const code = input.byte();
      switch (code % 16) {
        case 10: {
          // As a recorded message is: what comes with it is chosen by its command.
          const bytes = this.#raw();
          session.deliver(bytes, session.isReading ? this.#files(scene, bytes[2] ?? 0) : []);
          break;
        }
        case 11:
          session.deliver(this.#raw());
          break;
        case 12:
          session.isReading = code < 0x80;
          session.pump();
          break;
        case 13:
          session.close();
          answers |= session.answers;
          session = new SocketSession(scene);
          sessions += 1;
          if (code < 0xe0) session.deliver(MessageWriter.version());
          break;
        case 14:
        case 15:
          session.isReading = true;
          session.pump();
          dma |= new DmaExercise(input, scene, session).run();
          break;
        default:
          this.#send(session, scene, code);
      }
    }
    session.isReading = true;
    session.pump();
    const isGone = session.isGone;
    session.close();
    scene.check();
    answers |= session.answers;
    return (
      (answers & 0x1f) |
      (dma << 5) |
      (Math.min(sessions, 3) << 7) |
      (isGone ? 1 << 9 : 0) |
      (Math.min(session.model.windows.length, 7) << 10)
    );
  }

  /** One message or several, in one piece or in two. */
  #send(session: SocketSession, scene: SocketScene, code: number): void {
    const input = this.#input;
    const command = COMMANDS[input.byte() % COMMANDS.length]!;
    let bytes = this.#writer.message(command);
    const files = session.isReading ? this.#files(scene, command) : [];
    for (let more = (code >> 4) % 4; more === 3 && bytes.length < RAW_MAX * 4; ) {
      bytes = new Uint8Array(
        Buffer.concat([bytes, this.#writer.message(COMMANDS[input.byte() % COMMANDS.length]!)]),
      );
      more = input.byte() % 8;
    }
    if (code < 0xc0) {
      session.deliver(bytes, files);
      return;
    }
    const first = input.byte() % bytes.length;
    session.deliver(bytes.subarray(0, first), code >= 0xe0 ? files : []);
    session.deliver(bytes.subarray(first), code >= 0xe0 ? [] : files);
  }

  #files(scene: SocketScene, command: number): SentFile[] {
    const input = this.#input;
    const code = input.byte();
    if (code >= 0xfe) return new Array(DESCRIPTORS_MAX + (code % 2)).fill(scene.files[0]);
    const isUsual = WITH_DESCRIPTORS.includes(command) ? code < 0xf0 : code >= 0xf0;
    if (!isUsual) return [];
    const wanted = command === 2 ? [1, 1, 0, 2][code % 4]! : code % 5;
    // Memory first, then eventfds, then what is neither.
    const from = command === 2 ? 0 : 4;
    return Array.from({ length: wanted }, () => {
      const choice = input.byte();
      return scene.files[choice >= 0xe0 ? choice % scene.files.length : from + (choice % 4)]!;
    });
  }

  #raw(): Uint8Array {
    return Uint8Array.from({ length: this.#input.byte() % RAW_MAX }, () => this.#input.byte());
  }
}
