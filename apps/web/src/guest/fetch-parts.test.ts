/** How the parts of a guest are fetched: whatever a server makes of compressed files, and when they are not there. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fetchGuest, findGuest } from './fetch-parts.ts';

const PARTS = ['kernel', 'initramfs', 'bios', 'vgaBios'] as const;

async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** @param isUnpacked the server says that files are compressed, and so the browser hands them out unpacked */
async function serve(isUnpacked: boolean, without: readonly string[] = []): Promise<void> {
  const names = [...PARTS, 'wasm'];
  const files = new Map(
    await Promise.all(names.map(async (name) => [name, await gzip(`the ${name}`)] as const)),
  );
  const packed = (name: string) => files.get(name)!;
  const list = PARTS.map((part) => ({ part, file: `${part}.gz`, bytes: packed(part).length }));
  const wasm = { part: 'wasm', file: 'v86.wasm.gz', bytes: packed('wasm').length };
  const contents = new Map<string, Uint8Array | string>([
    ['guest/guest.json', JSON.stringify({ kernelRelease: '6.12', files: list })],
    ['emulator.json', JSON.stringify({ files: [wasm] })],
    ...[...PARTS.map((part) => [`guest/${part}.gz`, part]), ['v86.wasm.gz', 'wasm']].map(
      ([path, part]) => [path!, isUnpacked ? `the ${part}` : packed(part!)] as const,
    ),
  ]);
  vi.stubGlobal('fetch', async (path: string) => {
    const content = without.includes(path) ? undefined : contents.get(path);
    return new Response(content as BodyInit, { status: content === undefined ? 404 : 200 });
  });
}

const text = (buffer: ArrayBuffer) => new TextDecoder().decode(buffer);

describe('fetchGuest', () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([
    ['as they are', false],
    ['and the browser has unpacked them', true],
  ])('has the parts when the server sends them %s', async (_name, isUnpacked) => {
    await serve(isUnpacked);
    const told: number[] = [];
    let total = 0;
    const guest = await fetchGuest((await findGuest())!, (bytes, of) => {
      told.push(bytes);
      total = of;
    });
    for (const part of [...PARTS, 'wasm'] as const) expect(text(guest[part])).toBe(`the ${part}`);
    expect(told).toEqual([...told].sort((one, other) => one - other));
    expect(total).toBeGreaterThan(0);
    if (!isUnpacked) expect(told.at(-1)).toBe(total);
    expect(Math.max(...told)).toBeLessThanOrEqual(total);
  });

  it('says when there is no guest beside the page', async () => {
    await serve(false, ['guest/guest.json']);
    expect(await findGuest()).toBeUndefined();
  });

  it.each([
    ['guest/kernel.gz', 'guest/kernel.gz cannot be loaded: 404'],
    ['emulator.json', 'the guest has no wasm'],
  ])('fails when %s is missing', async (path, message) => {
    await serve(false, [path]);
    const guest = (await findGuest())!;
    expect(guest.kernelRelease).toBe('6.12');
    await expect(fetchGuest(guest, () => {})).rejects.toThrow(message);
  });
});
