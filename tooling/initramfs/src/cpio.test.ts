import { describe, expect, it } from 'vitest';
import { writeCpio } from './cpio.ts';

describe('writeCpio', () => {
  it('writes the bytes of the newc form', () => {
    const bytes = writeCpio([
      { type: 'directory', path: 'bin' },
      { type: 'file', path: 'bin/a', content: Buffer.from('hello'), executable: true },
    ]);
    const expected = [
      // magic ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
      '070701' +
        '00000001' +
        '000041ed' +
        '00000000' +
        '00000000' +
        '00000002' +
        '00000000' +
        '00000000' +
        '00000000' +
        '00000000' +
        '00000000' +
        '00000000' +
        '00000004' +
        '00000000' +
        'bin\0' +
        '\0\0',
      '070701' +
        '00000002' +
        '000081ed' +
        '00000000' +
        '00000000' +
        '00000001' +
        '00000000' +
        '00000005' +
        '00000000' +
        '00000000' +
        '00000000' +
        '00000000' +
        '00000006' +
        '00000000' +
        'bin/a\0' +
        'hello\0\0\0',
      `070701${'00000000'.repeat(4)}00000001${'00000000'.repeat(6)}0000000b00000000TRAILER!!!\0\0\0\0`,
    ];
    expect(bytes.toString('latin1')).toBe(expected.join(''));
  });

  it('ends every record on a multiple of four bytes', () => {
    for (let length = 0; length < 8; length += 1) {
      const content = new Uint8Array(length).fill(0x41);
      const one = writeCpio([{ type: 'file', path: 'x'.repeat(length + 1), content }]);
      expect(one.length % 4).toBe(0);
      expect(one.subarray(-124, -118).toString('latin1')).toBe('070701');
    }
  });

  it('writes a link as a file whose content is the target', () => {
    const bytes = writeCpio([{ type: 'symlink', path: 'sh', target: 'busybox' }]);
    expect(bytes.toString('latin1', 14, 22)).toBe('0000a1ff');
    expect(bytes.toString('latin1', 54, 62)).toBe('00000007');
    expect(bytes.toString('latin1', 116, 123)).toBe('busybox');
  });

  it('takes a view into a larger buffer for what it is', () => {
    const content = new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 3);
    const bytes = writeCpio([{ type: 'file', path: 'x', content }]);
    expect([...bytes.subarray(112, 116)]).toEqual([2, 3, 0, 0]);
  });
});
