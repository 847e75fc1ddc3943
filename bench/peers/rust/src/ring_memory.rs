//! A split ring in guest memory and its driver's side, as cheap as can be: descriptors never change, and nothing that is used
//! is looked at. Both sides are one thread.
use crate::work::Failure;
use std::sync::atomic::{AtomicU16, Ordering};
use virtio_queue::{DescriptorChain, Queue, QueueOwnedT, QueueT};
use vm_memory::{GuestAddress, GuestMemoryBackend, GuestMemoryMmap};

pub const QUEUE_SIZE: u16 = 256;
/// Chains of two descriptors that fit the queue.
pub const CHAINS: u64 = 128;
pub const WRITABLE_LENGTH: u32 = 4;

const MEMORY_LENGTH: usize = 1 << 20;
const DESCRIPTOR_AREA: u64 = 0x1000;
const DRIVER_AREA: u64 = 0x3000;
const DEVICE_AREA: u64 = 0x4000;
const INDIRECT_TABLES: u64 = 0x6000;
/// One every 64 bytes: a line of the cache each.
const READABLE_BUFFERS: u64 = 0x1_0000;
const WRITABLE_BUFFERS: u64 = 0x2_0000;
const BUFFER_STRIDE: u64 = 64;

const VIRTQ_DESC_F_NEXT: u16 = 1;
const VIRTQ_DESC_F_WRITE: u16 = 2;
const VIRTQ_DESC_F_INDIRECT: u16 = 4;

pub fn readable_buffer(chain: u64) -> u64 {
    READABLE_BUFFERS + chain * BUFFER_STRIDE
}

pub fn writable_buffer(chain: u64) -> u64 {
    WRITABLE_BUFFERS + chain * BUFFER_STRIDE
}

pub type Chains<'a> = [Option<DescriptorChain<&'a GuestMemoryMmap>>; QUEUE_SIZE as usize];

/// Pops all chains that are available; says how many. One after the other is slower by a fifth: each look at the queue loads
/// the available index anew.
pub fn pop_all<'a>(
    queue: &mut Queue,
    memory: &'a GuestMemoryMmap,
    chains: &mut Chains<'a>,
) -> Option<usize> {
    let mut count = 0;
    for (slot, chain) in chains.iter_mut().zip(queue.iter(memory).ok()?) {
        *slot = Some(chain);
        count += 1;
    }
    Some(count)
}

/// The driver's side; it has the memory by a pointer, as a guest has it.
pub struct Driver {
    bytes: *mut u8,
    head_stride: u16,
    avail_idx: u16,
}

/// Memory, a queue of the device and its driver, for chains with so many readable bytes each.
pub fn create_ring(
    is_indirect: bool,
    readable_length: impl Fn(u64) -> u32,
) -> Result<(GuestMemoryMmap, Queue, Driver), Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Wrong(error.to_string());
    let memory = GuestMemoryMmap::<()>::from_ranges(&[(GuestAddress(0), MEMORY_LENGTH)])
        .map_err(|error| wrong(&error))?;
    let region = memory.find_region(GuestAddress(0));
    let driver = Driver {
        bytes: region.ok_or_else(|| wrong(&"no memory"))?.as_ptr(),
        head_stride: if is_indirect { 1 } else { 2 },
        avail_idx: 0,
    };
    for chain in 0..CHAINS {
        let length = readable_length(chain);
        if is_indirect {
            let table = INDIRECT_TABLES + 32 * chain;
            let head = DESCRIPTOR_AREA + 16 * chain;
            driver.write_descriptor(head, table, 32, VIRTQ_DESC_F_INDIRECT, 0);
            driver.write_pair(table, 0, chain, length);
        } else {
            driver.write_pair(DESCRIPTOR_AREA, 2 * chain, chain, length);
        }
    }
    let mut queue = Queue::new(QUEUE_SIZE).map_err(|error| wrong(&error))?;
    queue.set_size(QUEUE_SIZE);
    queue.set_desc_table_address(Some(DESCRIPTOR_AREA as u32), Some(0));
    queue.set_avail_ring_address(Some(DRIVER_AREA as u32), Some(0));
    queue.set_used_ring_address(Some(DEVICE_AREA as u32), Some(0));
    queue.set_event_idx(true);
    queue.set_ready(true);
    if !queue.is_valid(&memory) {
        return Err(wrong(&"the queue is not valid"));
    }
    Ok((memory, queue, driver))
}

impl Driver {
    /// Makes the first `count` chains available; the device has given all back.
    pub fn refill(&mut self, count: u64) {
        let ring = DRIVER_AREA + 4;
        for chain in 0..count {
            let slot = u64::from(self.avail_idx % QUEUE_SIZE);
            self.write(ring + 2 * slot, chain as u16 * self.head_stride);
            self.avail_idx = self.avail_idx.wrapping_add(1);
        }
        // used_event: the driver wants to hear of the last one.
        let used_event = ring + 2 * u64::from(QUEUE_SIZE);
        self.write(used_event, self.avail_idx.wrapping_sub(1));
        // SAFETY: the index is aligned and inside the memory, which lives as long as the work that holds both.
        let avail_idx = unsafe { AtomicU16::from_ptr(self.at(DRIVER_AREA + 2)) };
        avail_idx.store(self.avail_idx, Ordering::Release);
    }

    /// `value` to be in memory by the next `refill`.
    pub fn write<T>(&self, address: u64, value: T) {
        // SAFETY: only places of this file's layout are written, all inside the memory.
        unsafe { self.at::<T>(address).write_unaligned(value) }
    }

    pub fn read<T>(&self, address: u64) -> T {
        // SAFETY: as in `write`.
        unsafe { self.at::<T>(address).read_unaligned() }
    }

    /// How many chains the device has given back, modulo 2^16.
    pub fn used_idx(&self) -> u16 {
        self.read(DEVICE_AREA + 2)
    }

    /// The used element of the chain that was given back last: its head, and the length that was written.
    pub fn last_used(&self) -> (u32, u32) {
        let slot = u64::from(self.used_idx().wrapping_sub(1) % QUEUE_SIZE);
        let element = DEVICE_AREA + 4 + 8 * slot;
        (self.read(element), self.read(element + 4))
    }

    fn at<T>(&self, address: u64) -> *mut T {
        debug_assert!(address as usize + size_of::<T>() <= MEMORY_LENGTH);
        self.bytes.wrapping_add(address as usize).cast()
    }

    fn write_pair(&self, table: u64, first: u64, chain: u64, length: u32) {
        let at = table + 16 * first;
        let readable = readable_buffer(chain);
        let next = first as u16 + 1;
        self.write_descriptor(at, readable, length, VIRTQ_DESC_F_NEXT, next);
        let writable = writable_buffer(chain);
        self.write_descriptor(at + 16, writable, WRITABLE_LENGTH, VIRTQ_DESC_F_WRITE, 0);
    }

    fn write_descriptor(&self, at: u64, address: u64, length: u32, flags: u16, next: u16) {
        self.write(at, address);
        self.write(at + 8, length);
        self.write(at + 12, flags);
        self.write(at + 14, next);
    }
}
