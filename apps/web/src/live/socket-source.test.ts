/** What a page that follows a machine shows: paused, resumed, and when the connection has ended. */
import { encodeTold, type InspectorUpdate, type Told } from '@viommu/inspector';
import { describe, expect, it } from 'vitest';
import { followSocket } from './socket-source.ts';

const PAGE = 4096;
const NOTHING = {
  operation: 0,
  changes: [],
  requests: [],
  faults: [],
  accesses: [],
  traffic: [],
  queues: [],
  latency: [],
  steps: [],
};
const place = { iommu: 0, domain: 1 };

function mapped(time: number, page: number): InspectorUpdate {
  const virtStart = page * PAGE;
  const mapping = { virtStart, virtEnd: virtStart + PAGE - 1, physStart: 0, flags: 3 };
  return { ...NOTHING, time, changes: [{ kind: 'mapped', ...place, ...mapping }] };
}

function setting() {
  const asked: string[] = [];
  const socket: Parameters<typeof followSocket>[0] = {
    onmessage: null,
    onclose: null,
    send: (text) => asked.push(String(text)),
  };
  const source = followSocket(socket);
  const drawn: number[] = [];
  source.onChange = () => drawn.push(source.view.now.time);
  const happens = (event: object) => event as MessageEvent & CloseEvent;
  const tell = (told: Told) =>
    socket.onmessage!.call(socket as WebSocket, happens({ data: encodeTold(told) }));
  const end = (reason: string) => socket.onclose!.call(socket as WebSocket, happens({ reason }));
  const pages = () =>
    [...(source.view.domain(0, 1)?.mappings ?? [])].map(({ virtStart }) => virtStart / PAGE);
  return { source, asked, drawn, tell, end, pages };
}

const WHOLE: InspectorUpdate = {
  ...NOTHING,
  time: 1,
  topology: { iommus: [{ name: 'iommu', place: '00:04.0' }], endpoints: [] },
  domains: [{ ...place, bypass: false, endpoints: [0x28], mappings: [] }],
};

describe('the source of a live page', () => {
  it('shows what it is told, from the first message on', () => {
    const { source, tell, drawn, pages } = setting();
    expect(source.state.kind).toBe('connecting');
    tell(WHOLE);
    tell(mapped(2, 7));
    expect(source.state.kind).toBe('running');
    expect(pages()).toEqual([7]);
    expect(drawn).toEqual([1, 2]);
  });

  it('shows the same while it is paused, and then the newest', () => {
    const { source, tell, drawn, pages } = setting();
    tell(WHOLE);
    tell(mapped(2, 7));
    source.pause();
    const paused = source.view;
    for (let page = 8; page < 40; page += 1) tell(mapped(page, page));
    expect(source.isPaused).toBe(true);
    expect(source.view).toBe(paused);
    expect(pages()).toEqual([7]);
    expect(source.view.now.time).toBe(2);
    // The last is that of the pause itself.
    expect(drawn).toEqual([1, 2, 2]);
    source.resume();
    expect(pages()).toEqual(Array.from({ length: 33 }, (_, index) => 7 + index));
    tell(mapped(99, 99));
    expect(pages().at(-1)).toBe(99);
    expect(drawn.slice(3)).toEqual([39, 99]);
  });

  it('asks for a walk, and has the answer of the moment that it shows', () => {
    const { source, asked, tell, drawn } = setting();
    const query = { iommu: 0, endpoint: 0x28, address: PAGE, access: 1 };
    const answer = { query, walk: undefined };
    tell(WHOLE);
    source.ask(query);
    expect(asked).toEqual([JSON.stringify(query)]);
    tell(answer);
    expect(source.walk).toEqual(answer);
    source.pause();
    const later = { query: { ...query, access: 2 }, walk: undefined };
    tell(mapped(2, 7));
    tell(later);
    expect(source.walk).toEqual(answer);
    source.resume();
    expect(source.walk).toEqual(later);
    expect(drawn).toEqual([1, 1, 1, 2]);
  });

  it('takes a whole state in the place of what it had', () => {
    const { tell, pages } = setting();
    tell(WHOLE);
    tell(mapped(2, 7));
    tell({ ...WHOLE, time: 3 });
    expect(pages()).toEqual([]);
  });

  it.each([
    ['says why', 'the guest has ended', 'the guest has ended'],
    ['does not say why', '', 'the connection is lost'],
  ])('keeps what it has when the connection ends and %s', (_name, told, reason) => {
    const { source, tell, end, pages } = setting();
    tell(WHOLE);
    tell(mapped(2, 7));
    source.pause();
    tell(mapped(3, 8));
    end(told);
    expect(source.state).toEqual({ kind: 'ended', reason });
    expect(pages()).toEqual([7]);
    source.resume();
    expect(pages()).toEqual([7, 8]);
  });

  it('says when there never was a connection', () => {
    const { source, end } = setting();
    end('');
    expect(source.state).toEqual({ kind: 'ended', reason: 'there is no connection' });
  });
});
