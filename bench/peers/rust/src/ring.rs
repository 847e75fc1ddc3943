//! Work `ring layout=direct|indirect`: one operation is one chain of 16 readable and 4 writable bytes. Timed: the driver refills
//! 128 chains; the device pops each, reads its bytes, writes its tail, adds it to the used ring, which publishes it, and
//! decides about a notification. virtio-queue always has its barriers, so `barriers` changes nothing.
use crate::keys::Keys;
use crate::ring_memory::{
    create_ring, pop_all, readable_buffer, writable_buffer, Chains, Driver, CHAINS, QUEUE_SIZE,
    WRITABLE_LENGTH,
};
use crate::work::{expect, Failure, Work};
use std::time::Instant;
use virtio_queue::{Queue, QueueT};
use vm_memory::{Bytes, GuestMemoryBackend, GuestMemoryMmap};

const READABLE_LENGTH: u32 = 16;
const TAIL: u32 = 0x5a00_0001;

pub struct RingWork {
    memory: GuestMemoryMmap,
    queue: Queue,
    driver: Driver,
    head_stride: u64,
    sink: u32,
    notifications: u64,
}

impl RingWork {
    pub fn new(keys: &mut Keys) -> Result<Self, Failure> {
        let is_indirect = keys.choice("layout", &["direct", "indirect"])? == "indirect";
        keys.choice("barriers", &["yes", "no"])?;
        let (memory, queue, driver) = create_ring(is_indirect, |_| READABLE_LENGTH)?;
        for chain in 0..CHAINS {
            driver.write(readable_buffer(chain), [chain as u32 + 1, 2, 4, 8]);
        }
        Ok(RingWork {
            memory,
            queue,
            driver,
            head_stride: if is_indirect { 1 } else { 2 },
            sink: 0,
            notifications: 0,
        })
    }

    /// Serves what is available; says how many chains, or nothing when one of them is not as it has to be.
    fn serve(&mut self) -> Option<u64> {
        let memory = &self.memory;
        let mut served = 0;
        let mut chains: Chains = [const { None }; QUEUE_SIZE as usize];
        let count = pop_all(&mut self.queue, memory, &mut chains)?;
        for slot in &mut chains[..count] {
            let chain = slot.as_mut()?;
            let request = chain.next()?;
            let reply = chain.next()?;
            if request.is_write_only() || request.len() < READABLE_LENGTH {
                return None;
            }
            if !reply.is_write_only() || reply.len() < WRITABLE_LENGTH {
                return None;
            }
            // By the slice: twice as fast as memory.read_obj and write_obj, which allow for memory in several regions.
            let bytes = memory.get_slice(request.addr(), READABLE_LENGTH as usize);
            let words: [u32; 4] = bytes.ok()?.read_obj(0).ok()?;
            self.sink ^= words[0] ^ words[1] ^ words[2] ^ words[3];
            let bytes = memory.get_slice(reply.addr(), WRITABLE_LENGTH as usize);
            bytes.ok()?.write_obj(TAIL, 0).ok()?;
            let head = chain.head_index();
            self.queue.add_used(memory, head, WRITABLE_LENGTH).ok()?;
            if self.queue.needs_notification(memory).ok()? {
                self.notifications += 1;
            }
            served += 1;
        }
        Some(served)
    }
}

impl Work for RingWork {
    fn check(&mut self) -> Result<(), Failure> {
        self.run(CHAINS - 1)?;
        expect(
            self.driver.used_idx() == CHAINS as u16 - 1,
            "the used index is wrong",
        )?;
        let last = (CHAINS - 2) * self.head_stride;
        expect(
            self.driver.last_used() == (last as u32, WRITABLE_LENGTH),
            "the used element is wrong",
        )?;
        // 1 to 127 cancel out to 0, and so do 127 times 2, 4 and 8 to once each.
        expect(self.sink == 2 ^ 4 ^ 8, "the readable bytes were not read")?;
        let tails = (0..CHAINS).map(|chain| self.driver.read::<u32>(writable_buffer(chain)));
        expect(
            tails.filter(|tail| *tail == TAIL).count() as u64 == CHAINS - 1,
            "a tail was not written",
        )
    }

    fn run(&mut self, operations: u64) -> Result<u64, Failure> {
        self.notifications = 0;
        let mut served = 0;
        let mut left = operations;
        let start = Instant::now();
        while left > 0 {
            let count = left.min(CHAINS);
            self.driver.refill(count);
            served += self.serve().unwrap_or(0);
            left -= count;
        }
        let nanoseconds = start.elapsed().as_nanos() as u64;
        expect(
            served == operations && self.notifications == operations.div_ceil(CHAINS),
            "a chain was not served, or its notification not decided rightly",
        )?;
        Ok(nanoseconds)
    }

    fn sink(&self) -> u64 {
        self.sink.into()
    }
}
