/** `viommu ctl` beside a stock guest: what it shows is what the guest has, and what it provokes the guest sees. */
import { execFile } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual, promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  DumpResult,
  FaultResult,
  ListResult,
  RulesResult,
  StatResult,
  TranslateResult,
} from '../src/control/control-protocol.ts';
import { bootOf, parts } from './guest-setting.ts';
import { DISK, MAIN, ServedGuest } from './served-guest.ts';

const DUMPS = 40;

let guest: ServedGuest;

beforeEach(async () => {
  guest = new ServedGuest();
  await guest.printed(/-device/);
});

afterEach(() => guest.close());

/** As a user starts it. */
async function ctlCommand<T>(...args: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[MAIN, 'ctl', '--socket-dir', guest.sockets, '--json'],
    ...args,
  ]);
  return JSON.parse(stdout) as T;
}

/** What is mapped for a read comes and goes; what is there each time is mapped for the rings. */
async function lastingMappings(domain: number): Promise<DumpResult['mappings']> {
  let lasting: DumpResult['mappings'] | undefined;
  for (let time = 0; time < DUMPS; time += 1) {
    const { mappings } = await guest.ctl<DumpResult>('dump', { domain });
    lasting = (lasting ?? mappings).filter((one) =>
      mappings.some((other) => isDeepStrictEqual(other, one)),
    );
    await setTimeout(5);
  }
  return lasting!;
}

describe.runIf(parts !== undefined)('viommu ctl', () => {
  it('shows what a stock guest does, and has it see faults and failures', async () => {
    let isReading = false;
    // It reads its disk for some seconds, and then reports.
    const running = guest.boot(
      [
        { step: 'report' },
        { step: 'bench', disk: 'vda', blockSize: 4096, count: 16_000 },
        { step: 'report' },
      ],
      {
        onLine: (line) => {
          // The last that the first report says.
          isReading ||= line.includes('@viommu dmesg') && line.includes('[vda]');
        },
      },
    );
    while (!isReading) await setTimeout(50);

    const { iommus } = await ctlCommand<ListResult>('list');
    const domain = iommus[0]!.endpoints[0]!.domain!;
    const lasting = await lastingMappings(domain);
    const translated = [];
    for (const { virtStart } of lasting) {
      const access = { endpoint: '00:05.0', address: virtStart };
      translated.push(await guest.ctl<TranslateResult>('translate', access));
    }
    const before = await guest.ctl<StatResult>('stat');
    const stray = { endpoint: '00:05.0', address: 0x1f000, access: 'write' };
    const fault = await guest.ctl<FaultResult>('fault', stray);
    await guest.ctl('reset');
    // For writing: by turns the buffer and the status of a read. The first and the fourth from now on are one of each, of different
    // reads. Without a mapping for the table of a request the disk would stop for good.
    const rule = { do: 'status', status: 'NOMEM', request: 'MAP', flags: 2, endpoint: '00:05.0' };
    await guest.ctl('inject', {
      rules: [
        { ...rule, nth: 1 },
        { ...rule, nth: 3 },
      ],
    });
    const run = await running;
    const { output } = guest;
    const after = await guest.ctl<StatResult>('stat');
    const { rules } = await guest.ctl<RulesResult>('rules');

    const { iommuGroups, log } = bootOf(run);
    expect(iommus[0]!.endpoints).toEqual([{ endpoint: DISK, device: '00:05.0', domain }]);
    // From both reports.
    expect(iommuGroups[0]!.devices).toEqual(['0000:00:05.0', '0000:00:05.0']);
    expect(output).toMatch(new RegExp(`^attach {2}00:05\\.0 -> domain ${domain}$`, 'm'));
    expect(lasting.length).toBeGreaterThan(0);
    expect(translated.map(({ guestPhysical }) => guestPhysical)).toEqual(
      lasting.map(({ physStart }) => physStart),
    );
    const [msi] = iommuGroups[0]!.reserved;
    for (const { virtStart, virtEnd } of lasting) {
      expect(virtEnd < msi!.start || virtStart > msi!.end).toBe(true);
    }
    expect(before.iommus[0]!.faults).toBe(0);
    expect(fault).toEqual({
      device: '00:05.0',
      reason: 'nothing is mapped there',
      delivered: true,
    });
    expect(log.join('\n')).toMatch(/page fault from EP 40 at 0x1f000 \[[^R\]]*W/);
    // Linux 6.12 tells of DEVICE_NEEDS_RESET, and goes on as if nothing was.
    expect(log.join('\n')).toContain('config changed');

    // It does not read the status of a MAP: it has the disk use an address at which nothing is mapped.
    expect(rules).toMatchObject([{ hits: 1 }, { hits: 1 }]);
    expect(after.iommus[0]!.requests.map!.byStatus.NOMEM).toBe(2);
    const injected = /^inject {2}rule \d: MAP .*virt_start (0x[0-9a-f]+)000 .*S_NOMEM/gm;
    const pages = [...output.matchAll(injected)].map(([, page]) => page);
    expect(pages).toHaveLength(2);
    for (const page of pages) {
      expect(log.join('\n')).toMatch(new RegExp(`page fault from EP 40 at ${page}[0-9a-f]{3} `));
    }
    // Of the read without a buffer; what the guest makes of a status that was never written is as it happens.
    expect(log.join('\n')).toContain('I/O error, dev vda');
    expect(after.iommus[0]!.faults).toBeGreaterThan(1);
  });
});
