/** The targets of rings see what a queue does wrong: each of these queues does one thing so. */
import { type DescriptorChain, PackedVirtqueue, SplitVirtqueue } from '@viommu/virtqueue';
import { describe, expect, it } from 'vitest';
import { readSeeds } from '../../input-files.ts';
import { packedFormat } from './packed-format.ts';
import type { RingFormat } from './ring-format.ts';
import { RingTarget } from './ring-target.ts';
import { splitFormat } from './split-format.ts';

function failures(format: RingFormat, createQueue: RingFormat['createQueue']): string[] {
  const target = new RingTarget({ ...format, createQueue });
  return readSeeds(format === splitFormat ? 'split' : 'packed').flatMap((seed) => {
    try {
      target.run(seed);
      return [];
    } catch (error) {
      return [String(error)];
    }
  });
}

class LateQueue extends SplitVirtqueue {
  override shouldInterrupt(): boolean {
    super.shouldInterrupt();
    return false;
  }
}
class WritingQueue extends SplitVirtqueue {
  override pop(chain: DescriptorChain): boolean {
    this.memory.write(0x3100, Uint8Array.of(1), 0, 1);
    return super.pop(chain);
  }
}
class UnsortedQueue extends SplitVirtqueue {
  override pop(chain: DescriptorChain): boolean {
    const isThere = super.pop(chain);
    if (isThere && chain.count > 1) chain.readableCount = chain.count - chain.readableCount;
    return isThere;
  }
}
class UndeadQueue extends SplitVirtqueue {
  override pop(chain: DescriptorChain): boolean {
    const isThere = super.pop(chain);
    chain.count = 1;
    return isThere || this.broken;
  }
}
class ReadingQueue extends SplitVirtqueue {
  override enableNotifications(): boolean {
    for (let count = 0; count < 100; count += 1) this.memory.read(0, new Uint8Array(1), 0, 1);
    return super.enableNotifications();
  }
}
class ForgetfulQueue extends PackedVirtqueue {
  override disableNotifications(): void {}
}
class GreedyQueue extends PackedVirtqueue {
  override pop(chain: DescriptorChain): boolean {
    const isThere = super.pop(chain);
    if (isThere) super.pop(chain);
    return isThere;
  }
}

describe('a queue is found out that', () => {
  it.each<[string, RingFormat, RingFormat['createQueue'], RegExp]>([
    ['never interrupts', splitFormat, (options) => new LateQueue(options), /interrupt: false/],
    ['writes anywhere', splitFormat, (options) => new WritingQueue(options), /1 in place of 0/],
    ['mixes directions up', splitFormat, (options) => new UnsortedQueue(options), /lengths of/],
    ['goes on when broken', splitFormat, (options) => new UndeadQueue(options), /broken queue/],
    ['reads on and on', splitFormat, (options) => new ReadingQueue(options), /accesses in one/],
    ['leaves out a wish', packedFormat, (options) => new ForgetfulQueue(options), /in place of/],
    ['loses buffers', packedFormat, (options) => new GreedyQueue(options), /segment|head|broken/],
  ])('%s', (_name, format, createQueue, reason) => {
    expect(failures(format, createQueue)).toContainEqual(expect.stringMatching(reason));
  });

  it('and nothing of one that is right', () => {
    expect(failures(splitFormat, (options) => new SplitVirtqueue(options))).toEqual([]);
    expect(failures(packedFormat, (options) => new PackedVirtqueue(options))).toEqual([]);
  });
});
