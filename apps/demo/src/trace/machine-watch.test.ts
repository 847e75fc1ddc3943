/** What a watch says of a machine is what the machine says itself: with a recorded boot of Linux, and with a driver of our own. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { MachineView, MachineWatch } from '@viommu/inspector';
import { ReplayMachine, TraceReader, type TraceStep } from '@viommu/trace';
import { describe, expect, it } from 'vitest';
import { shippedTrace } from './shipped-traces.ts';

/** A fresh machine with a watch; `steps` are what was recorded. */
function watched(name: string) {
  const reader = new TraceReader();
  const bytes = gunzipSync(readFileSync(shippedTrace(name)));
  const steps: TraceStep[] = [...reader.push(bytes)];
  const header = reader.header!;
  const watch = new MachineWatch(new ReplayMachine(header).description);
  const { observe, observeQueues } = watch;
  const replay = new ReplayMachine(header, { observe, observeQueues });
  watch.begin(replay.machine);
  const apply = (step: TraceStep) => {
    watch.now = { time: step.time, operation: step.index };
    replay.apply(step);
  };
  return { steps, watch, machine: replay.machine, apply };
}

type Watched = ReturnType<typeof watched>;

/** The domains of all devices, and those of the view, in the same form. */
function domainsOf({ machine }: Pick<Watched, 'machine'>) {
  return machine.iommus.flatMap(({ device }, iommu) =>
    device.snapshot().domains.map(({ id, endpoints, mappings }) => ({
      iommu,
      id,
      endpoints: [...endpoints].sort(),
      mappings,
    })),
  );
}

function domainsSeen(view: MachineView) {
  return view.domains.map(({ iommu, domain, endpoints, mappings }) => ({
    iommu,
    id: domain,
    endpoints: [...endpoints].sort(),
    mappings: [...mappings].flatMap(({ virtStart, virtEnd, physStart, flags }) => [
      virtStart,
      virtEnd,
      physStart,
      flags,
    ]),
  }));
}

const byId = (one: { iommu: number; id: number }, other: { iommu: number; id: number }) =>
  one.iommu - other.iommu || one.id - other.id;

describe('MachineWatch', () => {
  it.each([
    ['x86_64-passthrough', 500],
    ['x86_64-two-iommus', 1000],
    ['arm64-mmio', 37],
  ])('tells of %s what its devices are, every %d operations', (name, every) => {
    const { steps, watch, machine, apply } = watched(name);
    const view = new MachineView();
    view.apply(watch.takeAll());
    let most = 0;
    for (const step of steps) {
      apply(step);
      if (step.index % every !== 0) continue;
      view.apply(watch.take());
      const domains = domainsOf({ machine });
      most = Math.max(most, ...domains.map(({ mappings }) => mappings.length / 4));
      expect(domainsSeen(view).sort(byId)).toEqual(domains.sort(byId));
    }
    view.apply(watch.take());
    expect(most).toBeGreaterThan(5);
    const counters = machine.iommus.map(({ device }) => device.counters);
    expect(view.faults.length).toBe(counters.reduce((sum, { faults }) => sum + faults, 0));
    const requests = counters.flatMap(({ requests }) => Object.values(requests));
    expect(view.requests.length).toBe(requests.reduce((sum, { total }) => sum + total, 0));
    for (const { iommu, endpoint, readBytes, writtenBytes, bytes } of view.traffic) {
      const counted = machine.iommus[iommu]!.device.endpointCounters(endpoint);
      expect(readBytes + writtenBytes).toBe(counted.translatedBytes + counted.bypassedBytes);
      expect(bytes.reduce((sum, one) => sum + one, 0)).toBe(readBytes + writtenBytes);
    }
  });

  it('tells all to somebody who comes late', () => {
    const { steps, watch, machine, apply } = watched('x86_64-pci');
    const early = new MachineView();
    early.apply(watch.takeAll());
    for (const step of steps.slice(0, 9300)) apply(step);
    early.apply(watch.take());
    const late = new MachineView();
    late.apply(watch.takeAll());
    expect(domainsSeen(late)).toEqual(domainsOf({ machine }));
    expect(late.requests).toEqual(early.requests);
    expect(late.requests.length).toBeGreaterThan(100);
    expect(late.accesses).toEqual(early.accesses);
    expect(late.traffic).toEqual(early.traffic);
    expect(late.topology.endpoints.map(({ name }) => name)).toEqual(['blk', 'rng']);
    expect(watch.take()).toMatchObject({ changes: [], requests: [], accesses: [], traffic: [] });
  });

  it.each(['x86_64-pci', 'x86_64-passthrough', 'x86_64-two-iommus'])(
    'has at the end of %s the domains of before the guest reset its IOMMUs',
    (name) => {
      const { steps, watch, machine, apply } = watched(name);
      const view = new MachineView();
      view.apply(watch.takeAll());
      const used: ReturnType<typeof domainsOf>[] = machine.iommus.map(() => []);
      for (const step of steps) {
        apply(step);
        if (step.index < steps.length - 400) continue;
        for (const iommu of used.keys()) {
          const now = domainsOf({ machine }).filter((one) => one.iommu === iommu);
          if (now.length > 0) used[iommu] = now;
        }
      }
      view.apply(watch.take());
      expect(view.domains).toEqual([]);
      expect(view.isBeforeReset).toBe(false);
      watch.end();
      view.apply(watch.take());
      expect(domainsSeen(view).sort(byId)).toEqual(used.flat().sort(byId));
      expect(used.every((domains) => domains.length > 0)).toBe(true);
      expect(view.isBeforeReset).toBe(true);
    },
  );

  it('has a view whose copy stays as it is while the view goes on', () => {
    const { steps, watch, apply } = watched('x86_64-pci');
    const view = new MachineView();
    view.apply(watch.takeAll());
    for (const step of steps.slice(0, 9000)) apply(step);
    view.apply(watch.take());
    const copy = view.copy();
    expect(copy).toEqual(view);
    expect(domainsSeen(copy)).toEqual(domainsSeen(view));
    expect([copy.traffic, copy.queues]).toEqual([view.traffic, view.queues]);
    const seen = (one: MachineView) => [
      ...[domainsSeen(one), one.traffic, one.requests, one.queues, one.latency],
    ];
    const before = structuredClone(seen(copy));
    for (const step of steps.slice(9000, 9400)) apply(step);
    view.apply(watch.take());
    expect(seen(view)).not.toEqual(before);
    expect(seen(copy)).toEqual(before);
  });

  it('keeps the latest of what nobody takes, and asks the device when it has lost count of changes', () => {
    const { steps, watch, machine, apply } = watched('x86_64-pci');
    const view = new MachineView();
    view.apply(watch.takeAll());
    for (const step of steps.slice(0, 9000)) apply(step);
    // What a driver that attaches and detaches all the time would have an observer called with.
    const observer = watch.observe(0);
    const bytes = new Uint8Array(36);
    const record = { type: 9, status: 1, bytes, length: 4, writableLength: 4, usedLength: 4 };
    for (let count = 0; count < 10_100; count += 1) {
      observer.request!(record);
      observer.fault!(0x28, 2, 2, count, true);
      observer.attached!(0x999, 77, false);
      observer.detached!(0x999, 77);
    }
    const update = watch.take();
    expect(update.requests.length).toBe(10_000);
    expect(update.faults.length).toBe(1000);
    expect(update.faults.at(-1)?.address).toBe(10_099);
    expect(update.accesses.length).toBeLessThanOrEqual(2048);
    expect(update.changes).toEqual([]);
    view.apply(update);
    expect(domainsSeen(view)).toEqual(domainsOf({ machine }));
  });
});
