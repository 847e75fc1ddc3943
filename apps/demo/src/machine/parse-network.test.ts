/** How the command line says what a virtio-net is connected to. */
import { expect, it } from 'vitest';
import { parseNetwork } from './parse-network.ts';

const parse = (text: string) => parseNetwork('--net', `00:06.0=${text}`);

it.each([
  ['stream:/run/passt.sock', { network: 'stream', target: '/run/passt.sock' }],
  ['tap:tap0', { network: 'tap', target: 'tap0' }],
  ['stream:a,b', { network: 'stream', target: 'a,b' }],
  ['tap:t,mtu=9000', { network: 'tap', target: 't', mtu: 9000 }],
  ['tap:t,iommu=1', { network: 'tap', target: 't', iommu: 1 }],
  [
    'stream:/s,mac=02:00:5E:10:00:Ff,mtu=1500',
    { network: 'stream', target: '/s', mac: [2, 0, 0x5e, 0x10, 0, 0xff], mtu: 1500 },
  ],
])('%s', (text, expected) => {
  expect(parse(text)).toEqual({
    kind: 'net',
    place: { bus: 'pci', bdf: 0x30 },
    iommu: 0,
    endpoint: 0x30,
    mac: [0x52, 0x54, 0, 0, 0, 0x30],
    ...expected,
  });
});

it.each([
  'tap',
  'tap:',
  'stream:',
  'udp:x',
  'tap:t,mac=1',
  'tap:t,mac=',
  'tap:t,mtu=65536',
  'tap:t,mtu=1e3',
  'tap:t,iommu=first',
])('refuses %s', (text) => {
  expect(() => parse(text)).toThrow(/^--net: '/);
});
