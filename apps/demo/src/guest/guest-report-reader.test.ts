import { describe, expect, it } from 'vitest';
import { GuestReportReader } from './guest-report-reader.ts';

/** As a guest printed it, with lines of firmware and kernel between. */
const RECORDED = `
SeaBIOS (version 1.17.0-debian-1.17.0-1~bpo13+1)
Booting from ROM..@viommu boot 1
@viommu init 3.21
@viommu up 4.35
@viommu kernel 6.12.117+deb13-amd64
@viommu pci 0000:00:00.0 8086:29c0 -
@viommu pci 0000:00:04.0 1af4:1057 virtio-pci
@viommu pci 0000:00:05.0 1af4:1042 virtio-pci
@viommu virtio 0000:00:04.0 0x0017 virtio_iommu 1110111000000000000000000000110010000000100000000000000000000000
@viommu virtio 0000:00:05.0 0x0002 virtio_blk 0010101001110110000000000000110011000000100000000000000000000000
@viommu group 0 0000:00:05.0 DMA-FQ
@viommu reserved 0 0x00000000fee00000 0x00000000feefffff msi
@viommu group 1 0000:00:06.0 DMA-FQ
@viommu group 1 0000:00:06.1 DMA-FQ
@viommu reserved 1 0x00000000fee00000 0x00000000feefffff msi
@viommu disk vda 134217728
@viommu dmesg [    4.187475] virtio-pci 0000:00:05.0: Adding to iommu group 0
@viommu read vda 0 67108864 01617237ae74d8de4857ddd89c445a7ab20f94ee05a78008bef7e342292afd66
@viommu wrote vda 67108864 16777216 7cc2438a1f59d81e804692cfe4d5bae1ccb344320b651246ff0d4ac7c9297460
@viommu read vda 67108864 16777216 7cc2438a1f59d81e804692cfe4d5bae1ccb344320b651246ff0d4ac7c9297460
@viommu bench vda 4096 8192000 1291963
@viommu rng virtio_rng.0 d8431c050c91b1bd
@viommu rebooting 12.39
[   12.456669] reboot: Restarting system
@viommu boot 2
@viommu up 4.80
@viommu kernel 6.12.117+deb13-amd64
@viommu done 6.38
[    6.443849] reboot: Power down
`;

function reportOf(text: string): GuestReportReader['report'] {
  const reader = new GuestReportReader();
  for (const line of text.split('\n')) reader.read(line);
  return reader.report;
}

describe('GuestReportReader', () => {
  it('reads a recorded console', () => {
    const hash = '7cc2438a1f59d81e804692cfe4d5bae1ccb344320b651246ff0d4ac7c9297460';
    expect(reportOf(RECORDED)).toEqual({
      done: true,
      errors: [],
      boots: [
        {
          finished: true,
          initSeconds: 3.21,
          upSeconds: 4.35,
          kernel: '6.12.117+deb13-amd64',
          pci: [
            { address: '0000:00:00.0', id: '8086:29c0' },
            { address: '0000:00:04.0', id: '1af4:1057', driver: 'virtio-pci' },
            { address: '0000:00:05.0', id: '1af4:1042', driver: 'virtio-pci' },
          ],
          virtio: [
            {
              address: '0000:00:04.0',
              id: '23',
              driver: 'virtio_iommu',
              features: '1110111000000000000000000000110010000000100000000000000000000000',
            },
            {
              address: '0000:00:05.0',
              id: '2',
              driver: 'virtio_blk',
              features: '0010101001110110000000000000110011000000100000000000000000000000',
            },
          ],
          iommuGroups: [
            {
              group: 0,
              type: 'DMA-FQ',
              devices: ['0000:00:05.0'],
              reserved: [{ start: 0xfee00000, end: 0xfeefffff, type: 'msi' }],
            },
            {
              group: 1,
              type: 'DMA-FQ',
              devices: ['0000:00:06.0', '0000:00:06.1'],
              reserved: [{ start: 0xfee00000, end: 0xfeefffff, type: 'msi' }],
            },
          ],
          disks: [{ disk: 'vda', bytes: 134217728 }],
          log: ['[    4.187475] virtio-pci 0000:00:05.0: Adding to iommu group 0'],
          reads: [
            {
              disk: 'vda',
              offset: 0,
              length: 67108864,
              sha256: '01617237ae74d8de4857ddd89c445a7ab20f94ee05a78008bef7e342292afd66',
            },
            { disk: 'vda', offset: 67108864, length: 16777216, sha256: hash },
          ],
          writes: [{ disk: 'vda', offset: 67108864, length: 16777216, sha256: hash }],
          flushed: [],
          soak: [],
          timings: [{ disk: 'vda', blockSize: 4096, bytes: 8192000, seconds: 1.291963 }],
          interrupts: [],
          fetches: [],
          transfers: [],
          rng: { source: 'virtio_rng.0', hex: 'd8431c050c91b1bd' },
        },
        {
          finished: true,
          upSeconds: 4.8,
          kernel: '6.12.117+deb13-amd64',
          pci: [],
          virtio: [],
          iommuGroups: [],
          disks: [],
          log: [],
          reads: [],
          writes: [],
          flushed: [],
          soak: [],
          timings: [],
          interrupts: [],
          fetches: [],
          transfers: [],
        },
      ],
    });
  });

  it('hands back what follows the marker, and nothing for other lines', () => {
    const reader = new GuestReportReader();
    expect(reader.read('[    0.000000] Linux version 6.12')).toBeUndefined();
    expect(reader.read('garbage@viommu boot 1')).toBe('boot 1');
  });

  it('is not done before the guest says so', () => {
    const report = reportOf('@viommu boot 1\n@viommu kernel 6.12.1\n');
    expect(report.done).toBe(false);
    expect(report.boots[0]!.finished).toBe(false);
  });

  it('keeps what was flushed, and the rounds of a soak', () => {
    const report = reportOf(
      '@viommu boot 1\n@viommu flushed vda 0\n@viommu flushed vda 1\n@viommu soaked 1 250 90 2097152\n@viommu soaked 2 250 0 1\n',
    );
    expect(report.boots[0]?.flushed).toEqual([0, 1]);
    expect(report.boots[0]?.soak[0]).toEqual({
      round: 1,
      latency: 250,
      reference: 90,
      fetched: 2097152,
    });
    expect(report.errors).toEqual([expect.stringContaining('soaked 2 250 0 1')]);
  });

  it('keeps what the guest complains about', () => {
    expect(reportOf('@viommu boot 1\n@viommu error /dev/vda did not appear\n').errors).toEqual([
      '/dev/vda did not appear',
    ]);
  });

  it.each([
    ['a fact before the first boot', '@viommu kernel 6.12.1'],
    ['a boot that is counted wrongly', '@viommu boot 2'],
    ['a hash cut short', '@viommu boot 1\n@viommu read vda 0 1048576 0161'],
    ['a failed checksum', '@viommu boot 1\n@viommu read vda 0 1048576 '],
    ['a timing without its time', '@viommu boot 1\n@viommu bench vda 4096 8192000 '],
    ['a region of no group', '@viommu boot 1\n@viommu reserved 3 0x0 0x1 msi'],
    ['an unknown word', '@viommu boot 1\n@viommu hello'],
  ])('counts %s as an error', (_, text) => {
    const { errors } = reportOf(text);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^the guest's line cannot be read: /);
  });

  it('reads what a program saw of the device that it drove', () => {
    const { boots, errors } = reportOf(`
@viommu boot 1
@viommu vfio-group 2 0000:00:08.0
@viommu vfio-map 0x7fb53d8cd000 0x7fb53d8cd000 1048576
@viommu vfio-vectors 1
@viommu vfio-copy 0x7fb53d8cd000 0x7fb53d94d000 524288 2 0x0 1 equal
@viommu vfio-unmap 1048576
@viommu vfio-copy 0x1000 0x2000 4096 3 0x1000 0 differs
`);
    expect(errors).toEqual([]);
    expect(boots[0]?.vfio).toEqual({
      group: 2,
      device: '0000:00:08.0',
      vectors: 1,
      map: { virtualAddress: 0x7fb53d8cd000, iova: 0x7fb53d8cd000, length: 1048576 },
      copies: [
        {
          ...{ source: 0x7fb53d8cd000, destination: 0x7fb53d94d000, length: 524288 },
          ...{ status: 2, errorAddress: 0, interrupts: 1, equal: true },
        },
        {
          ...{ source: 0x1000, destination: 0x2000, length: 4096 },
          ...{ status: 3, errorAddress: 0x1000, interrupts: 0, equal: false },
        },
      ],
      unmapped: 1048576,
    });
  });

  it.each([
    'vfio-copy 1 2 3',
    'vfio-map 1 2 0',
    'vfio-unmap x',
    'vfio-vectors x',
    'vfio-group none',
  ])('does not take %s for an answer', (line) => {
    const { errors } = reportOf(`@viommu boot 1\n@viommu vfio-group 2 x\n@viommu ${line}\n`);
    expect(errors).toEqual([`the guest's line cannot be read: ${line}`]);
  });

  it('expects nothing of a device that no program has opened', () => {
    expect(reportOf('@viommu boot 1\n@viommu vfio-unmap 5\n').errors).toHaveLength(1);
  });

  it('reads how often interrupts came, and what brought them', () => {
    const { boots, errors } = reportOf(`
@viommu boot 1
@viommu interrupt virtio1-req.0 ITS-PCI-MSIX-0000:00:05.0 1214
@viommu interrupt virtio0,virtio1 GICv3 1165
`);
    expect(errors).toEqual([]);
    expect(boots[0]!.interrupts).toEqual([
      { name: 'virtio1-req.0', controller: 'ITS-PCI-MSIX-0000:00:05.0', count: 1214 },
      { name: 'virtio0,virtio1', controller: 'GICv3', count: 1165 },
    ]);
  });

  it('reads what came over the network, and what was read of the disk meanwhile', () => {
    const { boots, errors } = reportOf(`
@viommu boot 1
@viommu network eth0 10.0.2.15/24 52:54:00:12:34:56
@viommu fetched http%3A%2F%2F10.0.2.2%3A8080%2Fdata 67108864 ${'5'.repeat(64)} 2500000 vda 12582912
`);
    expect(errors).toEqual([]);
    expect(boots[0]!.network).toEqual({
      ...{ interface: 'eth0', address: '10.0.2.15/24', mac: '52:54:00:12:34:56' },
    });
    expect(boots[0]!.fetches).toEqual([
      {
        ...{ url: 'http://10.0.2.2:8080/data', bytes: 67108864, sha256: '5'.repeat(64) },
        ...{ seconds: 2.5, disk: 'vda', diskBytes: 12582912 },
      },
    ]);
  });

  it('reads how long transfers took', () => {
    const { boots, errors } = reportOf(`
@viommu boot 1
@viommu downloaded 16777216 2500000
@viommu uploaded 8388608 4000000
`);
    expect(errors).toEqual([]);
    expect(boots[0]!.transfers).toEqual([
      { direction: 'download', bytes: 16777216, seconds: 2.5 },
      { direction: 'upload', bytes: 8388608, seconds: 4 },
    ]);
  });

  it.each([
    'init never',
    'downloaded 16777216',
    'uploaded 0 100',
    'interrupt virtio0-config PCI-MSIX-0000:00:04.0',
    'network eth0',
    `fetched http%3A%2F%2Fx 5 ${'5'.repeat(64)} 100 vda`,
    'fetched http%3A%2F%2Fx 5 5555 100 vda 0',
  ])('does not take %s for a fact', (line) => {
    const { errors } = reportOf(`@viommu boot 1\n@viommu ${line}\n`);
    expect(errors).toEqual([`the guest's line cannot be read: ${line}`]);
  });
});
