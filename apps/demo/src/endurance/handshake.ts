/** The shortest visit that a vfio-user client can pay: it negotiates, and leaves. */
import { connect } from 'node:net';

const VERSION = 1;
const HEADER_SIZE = 16;
const COMMAND = 2;
const MESSAGE_SIZE = 4;
const FLAGS = 8;
const FLAGS_TYPE_REPLY = 1;

/**
 * Resolves when the server has negotiated and the connection is closed.
 *
 * @throws Error when it is not served within the time
 */
export function handshake(socketPath: string, timeoutMilliseconds = 5000): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let served = false;
    let received = Buffer.alloc(0);
    socket.setTimeout(timeoutMilliseconds, () =>
      socket.destroy(new Error(`${socketPath}: no answer within ${timeoutMilliseconds} ms`)),
    );
    socket.on('connect', () => socket.write(versionMessage()));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < HEADER_SIZE || received.length < received.readUInt32LE(MESSAGE_SIZE))
        return;
      served =
        received.readUInt16LE(COMMAND) === VERSION &&
        received.readUInt32LE(FLAGS) === FLAGS_TYPE_REPLY;
      socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () =>
      served ? resolve() : reject(new Error(`${socketPath}: the client was turned away`)),
    );
  });
}

/** Header, major and minor version 0, no capabilities. */
function versionMessage(): Buffer {
  const message = Buffer.alloc(HEADER_SIZE + 5);
  message.writeUInt16LE(1, 0);
  message.writeUInt16LE(VERSION, COMMAND);
  message.writeUInt32LE(message.length, MESSAGE_SIZE);
  return message;
}
