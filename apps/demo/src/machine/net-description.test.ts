/** How the command line says what a virtio-net is connected to. */
import { expect, it } from 'vitest';
import { parseNet } from './net-description.ts';

const NET = 0x30;

it.each([
  ['stream:/run/passt.sock', { kind: 'stream', target: '/run/passt.sock' }],
  ['tap:tap0', { kind: 'tap', target: 'tap0' }],
  ['stream:a,b', { kind: 'stream', target: 'a,b' }],
  ['tap:t,mtu=9000', { kind: 'tap', target: 't', mtu: 9000 }],
  [
    'stream:/s,mac=02:00:5E:10:00:Ff,mtu=1500',
    { kind: 'stream', target: '/s', mac: [2, 0, 0x5e, 0x10, 0, 0xff], mtu: 1500 },
  ],
])('%s', (text, expected) => {
  expect(parseNet('--net', NET, text)).toEqual({
    bdf: NET,
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
])('refuses %s', (text) => {
  expect(() => parseNet('--net', NET, text)).toThrow(/^--net: '/);
});
