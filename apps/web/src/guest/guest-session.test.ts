/** What of a guest still arrives when another is shown already. */
import type { InspectorUpdate } from '@viommu/inspector';
import { afterEach, expect, it, vi } from 'vitest';
import type { GuestReport } from './guest-messages.ts';
import { GuestSession } from './guest-session.ts';

afterEach(() => vi.unstubAllGlobals());

it('tells nobody of what waited for a frame when it was closed', async () => {
  const callbacks: (() => void)[] = [];
  const frame = async (): Promise<void> => {
    for (const callback of callbacks.splice(0)) callback();
    await new Promise((resolve) => setTimeout(resolve, 1));
  };
  vi.stubGlobal('document', { hidden: false });
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => callbacks.push(callback));
  const worker = { postMessage: vi.fn(), terminate: vi.fn() } as unknown as Worker;
  const session = new GuestSession(worker);
  const report = (data: GuestReport) => worker.onmessage!({ data } as MessageEvent<GuestReport>);
  const changed = vi.fn();
  const followed = vi.fn();
  const typed = vi.fn();
  session.onChange = changed;
  session.live.onChange = followed;
  vi.spyOn(session.live, 'take').mockImplementation(() => session.live.onChange());
  session.boot(typed);

  const update = { kind: 'update', update: {} as InspectorUpdate, walk: undefined } as const;
  report({ ...update, isHeld: true });
  await frame();
  expect([changed, followed].map((told) => told.mock.calls.length)).toEqual([1, 1]);
  expect(session.isHeld).toBe(true);

  report({ ...update, isHeld: false });
  report({ kind: 'console', bytes: Uint8Array.of(65) });
  session.close();
  await frame();
  await frame();
  expect([changed, followed].map((told) => told.mock.calls.length)).toEqual([1, 1]);
  expect(typed).not.toHaveBeenCalled();
});
