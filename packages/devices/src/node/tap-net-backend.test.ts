/** A TAP interface of this system, where the user may have one. */
import { describe, expect, it } from 'vitest';
import { TapPeer, whyNoTap } from '../fixtures/tap-peer.ts';
import { netBackendSuite } from '../testing/net-backend-suite.ts';
import { openTapBackend } from './tap-net-backend.ts';

const reason = whyNoTap();

describe.skipIf(reason !== undefined)(`with the right to make one (${reason ?? 'given'})`, () => {
  netBackendSuite('TAP', () => new TapPeer());

  it('is for one program at a time, and gone when it is closed', () => {
    const first = openTapBackend({ name: 'viotest-one' });
    expect(() => openTapBackend({ name: 'viotest-one' })).toThrow(
      expect.objectContaining({
        code: 'NET_TAP',
        message: expect.stringMatching(/TAP viotest-one cannot be opened: EBUSY.*another program/),
      }),
    );
    first.close();
    openTapBackend({ name: 'viotest-one' }).close();
  });

  it('is no other interface', () => {
    expect(() => openTapBackend({ name: 'lo' })).toThrow(
      expect.objectContaining({ code: 'NET_TAP', message: expect.stringContaining('no TAP') }),
    );
  });

  it('that is down loses what is sent, and the link stays', () => {
    const backend = openTapBackend({ name: 'viotest-down' });
    const frame = { bytes: new Uint8Array(0), offset: 0, length: 0 };
    for (let index = 0; index < 3; index += 1) {
      expect(backend.canSend).toBe(true);
      backend.reserve(60, frame);
      backend.commit();
    }
    expect(backend.linkUp).toBe(true);
    backend.close();
  });
});

it.each(['', 'a-name-of-16-byte'])('refuses the name "%s"', (name) => {
  expect(() => openTapBackend({ name })).toThrow(
    expect.objectContaining({ code: 'NET_TAP', message: expect.stringContaining('1 to 15 bytes') }),
  );
});
