/** findGuest and fetchGuest: the parts of the guest, from the folder that `pnpm build:web` makes beside the page. */

/** What `guest/guest.json` says, as `tooling/v86-guest` writes it. */
export interface PageGuest {
  readonly kernelRelease: string;
  readonly files: readonly {
    readonly part: string;
    readonly file: string;
    readonly bytes: number;
  }[];
}

export interface FetchedGuest {
  readonly wasm: ArrayBuffer;
  readonly kernel: ArrayBuffer;
  readonly initramfs: ArrayBuffer;
  readonly bios: ArrayBuffer;
  readonly vgaBios: ArrayBuffer;
}

const FOLDER = 'guest/';
/** The emulator's, which is there whether the guest is or not; the build writes how long it is. */
const EMULATOR = 'emulator.json';
/** With which a compressed file begins. A server may say that it is, and then the browser has unpacked it already. */
const GZIP_MAGIC = [0x1f, 0x8b];

/** @returns undefined when the page has no guest beside it */
export function findGuest(): Promise<PageGuest | undefined> {
  return fetchList(`${FOLDER}guest.json`);
}

/**
 * @param onProgress told after each piece, in bytes as they are on the way
 * @throws Error when a part cannot be loaded
 */
export async function fetchGuest(
  guest: PageGuest,
  onProgress: (bytes: number, total: number) => void,
): Promise<FetchedGuest> {
  const emulator = await fetchList(EMULATOR);
  const files = [
    ...(emulator?.files ?? []),
    ...guest.files.map((one) => ({ ...one, file: FOLDER + one.file })),
  ];
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let loaded = 0;
  const parts = await Promise.all(
    files.map(async ({ part, file }) => {
      const content = await fetchFile(file, (bytes) => {
        loaded += bytes;
        onProgress(Math.min(loaded, total), total);
      });
      return [part, content] as const;
    }),
  );
  const byName = new Map(parts);
  const part = (name: string): ArrayBuffer => {
    const content = byName.get(name);
    if (content === undefined)
      throw new Error(`the guest has no ${name}: run pnpm build:web again`);
    return content;
  };
  return {
    wasm: part('wasm'),
    kernel: part('kernel'),
    initramfs: part('initramfs'),
    bios: part('bios'),
    vgaBios: part('vgaBios'),
  };
}

async function fetchList(url: string): Promise<PageGuest | undefined> {
  const answer = await fetch(url);
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`${url} cannot be loaded: ${answer.status}`);
  // null is what the build of the page leaves there.
  return ((await answer.json()) as PageGuest | null) ?? undefined;
}

async function fetchFile(url: string, onBytes: (bytes: number) => void): Promise<ArrayBuffer> {
  const answer = await fetch(url);
  if (!answer.ok || answer.body === null) {
    throw new Error(`${url} cannot be loaded: ${answer.status}`);
  }
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const reader = answer.body.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    pieces.push(piece.value);
    onBytes(piece.value.length);
  }
  const content = new Blob(pieces);
  const magic = new Uint8Array(await content.slice(0, GZIP_MAGIC.length).arrayBuffer());
  if (!GZIP_MAGIC.every((byte, index) => magic[index] === byte)) return content.arrayBuffer();
  const unpacked = content.stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(unpacked).arrayBuffer();
}
