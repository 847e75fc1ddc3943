//! Which pages are mapped: N of 4 KiB, every second from a first one on, so that between any two is a free one.
use crate::mappings::{Mappings, READ, WRITE};
use crate::random::shuffled;

pub const PAGE_SIZE: u64 = 4096;
pub const GIB: u64 = 1 << 30;
const FIRST_PAGE: u64 = 0x10_0000;
/// Physical addresses are another place, which continues nothing that is neighbours virtually.
const PHYSICAL_BASE: u64 = 0x40_0000_0000;
/// Large extents begin here: beyond 2^20 residents.
const BEYOND: u64 = 16 * GIB;
const LARGE_PLACES: usize = 16;

pub fn resident_start(index: usize) -> u64 {
    (FIRST_PAGE + 2 * index as u64) * PAGE_SIZE
}

/// The page behind a resident, which is free.
pub fn free_start(index: usize) -> u64 {
    resident_start(index) + PAGE_SIZE
}

pub fn phys_of(virt_start: u64) -> u64 {
    PHYSICAL_BASE + 2 * virt_start
}

/// The free pages of so many residents, each once, in random order.
pub fn free_places(count: usize) -> Vec<u64> {
    shuffled(count).into_iter().map(free_start).collect()
}

/// Places for extents of 1 GiB, aligned to it but for `offset`.
pub fn large_places(offset: u64) -> Vec<u64> {
    let place = |index| BEYOND + 2 * index as u64 * GIB + offset;
    shuffled(LARGE_PLACES).into_iter().map(place).collect()
}

/// Adds `count` residents, each readable and writable; false when one of them could not be.
pub fn map_residents(mappings: &mut Mappings, count: usize) -> bool {
    (0..count).all(|index| {
        let start = resident_start(index);
        mappings.map(start, start + (PAGE_SIZE - 1), phys_of(start), READ | WRITE)
    })
}
