/** Where a server listens, and whose clients it serves. */
import { chmodSync, chownSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VfioUserServer } from './server.ts';
import { FakePciFunction } from './testing-client/fake-pci-function.ts';
import { Harness } from './testing-client/harness.ts';
import { regionReadRequest } from './testing-client/requests.ts';
import { TestClient, versionRequest } from './testing-client/test-client.ts';

/** Only root can be another user, and give files away. */
const IS_ROOT = process.geteuid!() === 0;
const OTHER_UID = 65_533;
const THIRD_UID = 65_532;

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

afterEach(() => harness.close());

function listenIn(folder: string, mode: number): () => void {
  mkdirSync(harness.path(folder));
  chmodSync(harness.path(folder), mode);
  return () => harness.listen(`${folder}/a.sock`);
}

describe('a directory', () => {
  it.each([0o777, 0o775, 0o702, 0o720])('of mode %o is refused', (mode) => {
    const listen = listenIn('open', mode);
    expect(listen).toThrow(
      expect.objectContaining({
        code: 'UNSAFE_DIRECTORY',
        message: expect.stringContaining(`chmod go-w ${harness.path('open')}`),
      }),
    );
    expect(existsSync(harness.path('open/a.sock'))).toBe(false);
  });

  it.each([0o700, 0o755, 0o1777])('of mode %o is not', (mode) => {
    expect(listenIn('fine', mode)).not.toThrow();
    expect(statSync(harness.path('fine/a.sock')).mode & 0o777).toBe(0o600);
  });

  it.runIf(IS_ROOT)('of another user is refused', () => {
    const listen = listenIn('foreign', 0o755);
    chownSync(harness.path('foreign'), OTHER_UID, 0);
    expect(listen).toThrow(
      expect.objectContaining({
        code: 'UNSAFE_DIRECTORY',
        message: expect.stringContaining('65533'),
      }),
    );
  });
});

/** Connects with that effective user ID; the mode of the socket is out of the way. */
function connectAs(uid: number, path: string): TestClient {
  process.seteuid!(uid);
  try {
    return new TestClient(path);
  } finally {
    process.seteuid!(0);
  }
}

describe.runIf(IS_ROOT)('a client of another user', () => {
  it('is closed with one line, whatever the mode of the socket, and holds nobody up', () => {
    const pciFunction = harness.listen();
    const path = harness.path('a.sock');
    chmodSync(harness.directory, 0o711);
    expect(() => connectAs(OTHER_UID, path)).toThrow('errno 13');
    chmodSync(path, 0o666);
    const waiting = harness.connect();
    for (let attempt = 0; attempt < 5; attempt++) {
      const client = connectAs(OTHER_UID, path);
      client.send(versionRequest());
      harness.settle();
      expect([undefined, 0]).toContain(client.receive()?.length);
      expect(() => client.send(versionRequest())).not.toThrow();
      client.close();
    }
    expect(harness.complaints).toEqual([expect.stringContaining('user 65533')]);
    expect(pciFunction.takeCalls()).toEqual([]);
    // The one that had not negotiated did not give way to them.
    expect(harness.ask(waiting, versionRequest())?.length).toBeGreaterThan(20);
    harness.server.close();
    expect(harness.complaints).toHaveLength(2);
    expect(harness.complaints[1]).toContain('4 times more');
  });

  it('is served when it is the one that is allowed, whose the socket is then', () => {
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    const server = new VfioUserServer({
      allowUid: OTHER_UID,
      logger: { debug() {}, info() {}, warn: log, error: log },
    });
    chmodSync(harness.directory, 0o711);
    const path = harness.path('given.sock');
    server.listen(path, new FakePciFunction());
    const { uid, mode } = statSync(path);
    expect([uid, mode & 0o777]).toEqual([OTHER_UID, 0o600]);
    const ask = (client: TestClient, request: Uint8Array) => {
      client.send(request);
      for (let round = 0; round < 4; round++) server.poll(0);
      return client.receive()?.length;
    };
    const client = connectAs(OTHER_UID, path);
    server.poll(0);
    expect(ask(client, versionRequest())).toBeGreaterThan(20);
    expect(ask(client, regionReadRequest(0, 0, 1))).toBe(33);
    client.close();
    chmodSync(path, 0o666);
    const third = connectAs(THIRD_UID, path);
    for (let round = 0; round < 4; round++) server.poll(0);
    expect(third.receive()?.length).toBe(0);
    third.close();
    expect(lines).toEqual([expect.stringContaining('user 65532')]);
    server.close();
    expect(existsSync(path)).toBe(false);
  });
});

it.skipIf(IS_ROOT)('only root gives its sockets to another user', () => {
  const server = new VfioUserServer({ allowUid: OTHER_UID });
  const path = harness.path('a.sock');
  expect(() => server.listen(path, new FakePciFunction())).toThrow(
    expect.objectContaining({ code: 'PERMISSION' }),
  );
  expect(existsSync(path)).toBe(false);
  server.close();
});
