import { expect, it } from 'vitest';
import { countFiles } from './build-kernel.ts';

it('says now and then how many files are compiled', () => {
  const lines: string[] = [];
  let now = 0;
  const take = countFiles(
    (text) => lines.push(text),
    () => now,
  );
  take('  CC      init/main.o\n  AS      arch/x86/entry/entry_32.o\n  AR      built-in.a\n');
  now = 10_000;
  take('  CC      kernel/fork.o\n');
  now = 19_999;
  take('  CC      kernel/exit.o\n  HOSTCC  scripts/kallsyms\n');
  now = 25_000;
  take('  LD      vmlinux\n');
  expect(lines).toEqual([
    expect.stringMatching(/^compiling the kernel: 3 of about \d+ files after 10 s$/),
    expect.stringMatching(/^compiling the kernel: 4 of about \d+ files after 25 s$/),
  ]);
});
