//! Work `request count=N`: one operation is one request, of batches of 64 MAP of free pages among N residents and then 64 UNMAP
//! of the same. Timed: the driver writes the requests and makes them available; the device pops, reads, checks, maps or
//! unmaps, writes the tail, adds the chain to the used ring; one notification is decided about for each batch.
use crate::keys::Keys;
use crate::mappings::{Mappings, READ, WRITE};
use crate::pages::{free_places, map_residents, phys_of, PAGE_SIZE};
use crate::ring_memory::{
    create_ring, pop_all, readable_buffer, writable_buffer, Chains, Driver, CHAINS, QUEUE_SIZE,
    WRITABLE_LENGTH,
};
use crate::work::{expect, Failure, Work};
use std::time::Instant;
use virtio_queue::desc::split::Descriptor;
use virtio_queue::{Queue, QueueT};
use vm_memory::{ByteValued, Bytes, GuestMemoryBackend, GuestMemoryMmap};

const VIRTIO_IOMMU_T_MAP: u8 = 3;
const VIRTIO_IOMMU_T_UNMAP: u8 = 4;
const VIRTIO_IOMMU_MAP_F_MMIO: u32 = 4;
const VIRTIO_IOMMU_S_OK: u8 = 0;
const VIRTIO_IOMMU_S_UNSUPP: u8 = 2;
const VIRTIO_IOMMU_S_INVAL: u8 = 4;
const VIRTIO_IOMMU_S_RANGE: u8 = 5;
const VIRTIO_IOMMU_S_NOENT: u8 = 6;

/// What MAP and UNMAP begin with: struct virtio_iommu_req_head and the first fields of both bodies.
#[derive(Clone, Copy, Default)]
#[repr(C, packed)]
struct Extent {
    kind: u8,
    reserved: [u8; 3],
    domain: u32,
    virt_start: u64,
    virt_end: u64,
}

/// The rest of a MAP.
#[derive(Clone, Copy, Default)]
#[repr(C, packed)]
struct Target {
    phys_start: u64,
    flags: u32,
}

#[derive(Clone, Copy, Default)]
#[repr(C, packed)]
struct Tail {
    status: u8,
    reserved: [u8; 3],
}

// SAFETY: plain integers without padding, of which every value is valid.
unsafe impl ByteValued for Extent {}
unsafe impl ByteValued for Target {}
unsafe impl ByteValued for Tail {}

const EXTENT_LENGTH: u64 = size_of::<Extent>() as u64;
const MAP_LENGTH: u32 = 36;
const UNMAP_LENGTH: u32 = 28;
const MAPS: u64 = CHAINS / 2;
const DOMAIN: u32 = 1;

pub struct RequestWork {
    memory: GuestMemoryMmap,
    queue: Queue,
    driver: Driver,
    mappings: Mappings,
    count: usize,
    places: Vec<u64>,
    next: usize,
    notifications: u64,
    refused: u64,
    done: u64,
}

impl RequestWork {
    pub fn new(keys: &mut Keys) -> Result<Self, Failure> {
        let count = keys.count("count")?;
        let length = |chain| {
            if chain < MAPS {
                MAP_LENGTH
            } else {
                UNMAP_LENGTH
            }
        };
        let (memory, queue, driver) = create_ring(false, length)?;
        let mut mappings = Mappings::default();
        expect(
            map_residents(&mut mappings, count),
            "a resident overlaps another",
        )?;
        Ok(RequestWork {
            memory,
            queue,
            driver,
            mappings,
            count,
            // At least 64, so that a batch maps no page twice: with fewer residents the free ones go on behind the last.
            places: free_places(count.max(MAPS as usize)),
            next: 0,
            notifications: 0,
            refused: 0,
            done: 0,
        })
    }

    fn write_batch(&mut self) {
        for chain in 0..MAPS {
            let virt_start = self.places[self.next];
            self.next += 1;
            if self.next == self.places.len() {
                self.next = 0;
            }
            let mut extent = Extent {
                kind: VIRTIO_IOMMU_T_MAP,
                reserved: [0; 3],
                domain: DOMAIN,
                virt_start,
                virt_end: virt_start + (PAGE_SIZE - 1),
            };
            let target = Target {
                phys_start: phys_of(virt_start),
                flags: READ | WRITE,
            };
            self.driver.write(readable_buffer(chain), extent);
            self.driver
                .write(readable_buffer(chain) + EXTENT_LENGTH, target);
            extent.kind = VIRTIO_IOMMU_T_UNMAP;
            self.driver.write(readable_buffer(chain + MAPS), extent);
            self.driver
                .write(readable_buffer(chain + MAPS) + EXTENT_LENGTH, 0u32);
        }
    }

    fn serve(&mut self) -> Option<u64> {
        let memory = &self.memory;
        let mut served = 0;
        let mut chains: Chains = [const { None }; QUEUE_SIZE as usize];
        let count = pop_all(&mut self.queue, memory, &mut chains)?;
        for slot in &mut chains[..count] {
            let chain = slot.as_mut()?;
            let request = chain.next()?;
            let reply = chain.next()?;
            if request.is_write_only() || !reply.is_write_only() || reply.len() < WRITABLE_LENGTH {
                return None;
            }
            let status = handle(memory, &mut self.mappings, &request)?;
            if status != VIRTIO_IOMMU_S_OK {
                self.refused += 1;
            }
            let reserved = [0; 3];
            let bytes = memory.get_slice(reply.addr(), size_of::<Tail>());
            bytes.ok()?.write_obj(Tail { status, reserved }, 0).ok()?;
            let head = chain.head_index();
            self.queue.add_used(memory, head, WRITABLE_LENGTH).ok()?;
            served += 1;
        }
        if self.queue.needs_notification(memory).ok()? {
            self.notifications += 1;
        }
        Some(served)
    }

    fn run_batches(&mut self, batches: u64) -> u64 {
        let mut served = 0;
        for _ in 0..batches {
            self.write_batch();
            self.driver.refill(CHAINS);
            served += self.serve().unwrap_or(0);
        }
        served
    }
}

/// The status of one request; nothing when it is not in memory.
fn handle(memory: &GuestMemoryMmap, mappings: &mut Mappings, request: &Descriptor) -> Option<u8> {
    if request.len() < UNMAP_LENGTH {
        return Some(VIRTIO_IOMMU_S_INVAL);
    }
    // One lookup for both structures, and by the slice, as in `ring`.
    let bytes = memory
        .get_slice(request.addr(), request.len() as usize)
        .ok()?;
    let extent: Extent = bytes.read_obj(0).ok()?;
    let (kind, virt_start, virt_end) = (extent.kind, extent.virt_start, extent.virt_end);
    if u32::from_le(extent.domain) != DOMAIN {
        return Some(VIRTIO_IOMMU_S_NOENT);
    }
    let (virt_start, virt_end) = (u64::from_le(virt_start), u64::from_le(virt_end));
    let is_aligned = virt_start % PAGE_SIZE == 0 && virt_end % PAGE_SIZE == PAGE_SIZE - 1;
    if virt_start > virt_end || !is_aligned {
        return Some(VIRTIO_IOMMU_S_RANGE);
    }
    let is_done = match kind {
        VIRTIO_IOMMU_T_MAP => {
            if request.len() < MAP_LENGTH {
                return Some(VIRTIO_IOMMU_S_INVAL);
            }
            let target: Target = bytes.read_obj(size_of::<Extent>()).ok()?;
            let (phys_start, flags) = (u64::from_le(target.phys_start), u32::from_le(target.flags));
            let is_in_reach = phys_start.checked_add(virt_end - virt_start).is_some();
            if phys_start % PAGE_SIZE != 0 || !is_in_reach {
                return Some(VIRTIO_IOMMU_S_RANGE);
            }
            if flags & !(READ | WRITE | VIRTIO_IOMMU_MAP_F_MMIO) != 0 {
                return Some(VIRTIO_IOMMU_S_INVAL);
            }
            mappings.map(virt_start, virt_end, phys_start, flags)
        }
        VIRTIO_IOMMU_T_UNMAP => mappings.unmap(virt_start, virt_end),
        _ => return Some(VIRTIO_IOMMU_S_UNSUPP),
    };
    Some(if is_done {
        VIRTIO_IOMMU_S_OK
    } else {
        VIRTIO_IOMMU_S_INVAL
    })
}

impl Work for RequestWork {
    fn check(&mut self) -> Result<(), Failure> {
        self.run(CHAINS)?;
        expect(
            self.driver.used_idx() == CHAINS as u16,
            "the used index is wrong",
        )?;
        let status: u8 = self.driver.read(writable_buffer(CHAINS - 1));
        expect(status == VIRTIO_IOMMU_S_OK, "the status is wrong")?;
        // The same batch with its UNMAP a page too far: they are refused, and the mappings are there.
        self.next = 0;
        self.write_batch();
        let first = self.places[0];
        self.driver
            .write(readable_buffer(MAPS) + 16, first + (2 * PAGE_SIZE - 1));
        self.driver.refill(CHAINS);
        let served = self.serve();
        expect(
            served == Some(CHAINS)
                && self.refused == 1
                && self.driver.read::<u8>(writable_buffer(MAPS)) == VIRTIO_IOMMU_S_INVAL
                && self.mappings.translate(first + 8, READ) == Some(phys_of(first) + 8)
                && self.mappings.unmap(first, first + (PAGE_SIZE - 1)),
            "a request that has to be refused was not, or one that has not was",
        )?;
        self.refused = 0;
        Ok(())
    }

    fn run(&mut self, operations: u64) -> Result<u64, Failure> {
        if operations % CHAINS != 0 {
            return Err(Failure::Usage(format!(
                "run a multiple of {CHAINS} operations"
            )));
        }
        let batches = operations / CHAINS;
        self.notifications = 0;
        let start = Instant::now();
        let served = self.run_batches(batches);
        let nanoseconds = start.elapsed().as_nanos() as u64;
        expect(
            served == operations && self.notifications == batches && self.refused == 0,
            "a request was refused, or a notification not decided rightly",
        )?;
        expect(self.mappings.len() == self.count, "a mapping was left")?;
        self.done += served;
        Ok(nanoseconds)
    }

    fn sink(&self) -> u64 {
        self.done
    }
}
