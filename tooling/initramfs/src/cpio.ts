/** Writes a cpio archive in the "newc" form, the one the Linux kernel unpacks as its initial file system. */

/** One file, directory or symbolic link of the archive; `path` is relative to the root, without a leading slash. */
export type CpioEntry =
  | { readonly type: 'directory'; readonly path: string }
  | {
      readonly type: 'file';
      readonly path: string;
      readonly content: Uint8Array;
      readonly executable?: boolean;
    }
  | { readonly type: 'symlink'; readonly path: string; readonly target: string };

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

/** The archive as bytes. A directory must come before what is in it; the kernel makes no parents of its own. */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  entries.forEach((entry, index) => {
    parts.push(...record(index + 1, modeOf(entry), entry.path, contentOf(entry)));
  });
  parts.push(...record(0, 0, 'TRAILER!!!', Buffer.alloc(0)));
  return Buffer.concat(parts);
}

function modeOf(entry: CpioEntry): number {
  switch (entry.type) {
    case 'directory':
      return S_IFDIR | 0o755;
    case 'file':
      return S_IFREG | (entry.executable ? 0o755 : 0o644);
    case 'symlink':
      return S_IFLNK | 0o777;
  }
}

function contentOf(entry: CpioEntry): Uint8Array {
  switch (entry.type) {
    case 'directory':
      return Buffer.alloc(0);
    case 'file':
      return entry.content;
    case 'symlink':
      return Buffer.from(entry.target);
  }
}

/** Header of 110 characters, name with its NUL, content; name and content each end on a multiple of four bytes. */
function record(inode: number, mode: number, path: string, content: Uint8Array): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const fields = [
    inode,
    mode,
    0, // uid
    0, // gid
    mode >= S_IFDIR && mode < S_IFREG ? 2 : 1, // nlink
    0, // mtime: fixed, so that the same parts give the same bytes
    content.length,
    0, // devmajor
    0, // devminor
    0, // rdevmajor
    0, // rdevminor
    name.length,
    0, // check: unused by this form
  ];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return [
    Buffer.from(header, 'latin1'),
    name,
    padding(header.length + name.length),
    Buffer.from(content.buffer, content.byteOffset, content.byteLength),
    padding(content.length),
  ];
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}
