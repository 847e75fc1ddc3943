import { describe, expect, it } from 'vitest';
import { optionsThatDiffer } from './config-check.ts';
import { KERNEL_CONFIG } from './kernel-config.ts';

const WANTED = `# A disk.
CONFIG_VIRTIO_BLK=y
CONFIG_LOCALVERSION="-viommu"
# CONFIG_MODULES is not set
`;

describe('optionsThatDiffer', () => {
  it('finds nothing when all is as it was asked for', () => {
    const config = `CONFIG_LOCALVERSION="-viommu"\nCONFIG_VIRTIO=y\nCONFIG_VIRTIO_BLK=y\n`;
    expect(optionsThatDiffer(WANTED, config)).toEqual([]);
    expect(optionsThatDiffer(WANTED, `${config}# CONFIG_MODULES is not set\n`)).toEqual([]);
  });

  it('names what was dropped, has another value, or is on and should be off', () => {
    const config = `CONFIG_LOCALVERSION=""
# CONFIG_VIRTIO_BLK is not set
CONFIG_MODULES=y
`;
    expect(optionsThatDiffer(WANTED, config)).toEqual([
      'CONFIG_VIRTIO_BLK',
      'CONFIG_LOCALVERSION',
      'CONFIG_MODULES',
    ]);
    expect(optionsThatDiffer(WANTED, '')).toEqual(['CONFIG_VIRTIO_BLK', 'CONFIG_LOCALVERSION']);
  });

  it('takes no option for another whose name begins with it', () => {
    expect(optionsThatDiffer('CONFIG_NET=y\n', 'CONFIG_NET_CORE=y\n')).toEqual(['CONFIG_NET']);
  });
});

describe('KERNEL_CONFIG', () => {
  it('names each option once, and has no line that is neither option nor comment', () => {
    const lines = KERNEL_CONFIG.split('\n').filter((line) => line !== '');
    const names = lines.flatMap((line) => /^(?:# )?(CONFIG_\w+)[= ]/.exec(line)?.[1] ?? []);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(80);
    for (const line of lines) expect(line).toMatch(/^(CONFIG_\w+=\S+|# .+)$/);
  });
});
