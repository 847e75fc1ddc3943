//! The mappings of one domain in the standard library's BTreeMap, by their first address. Ends are inclusive.
use std::collections::btree_map::{BTreeMap, Entry};

/// VIRTIO_IOMMU_MAP_F_READ and VIRTIO_IOMMU_MAP_F_WRITE.
pub const READ: u32 = 1;
pub const WRITE: u32 = 2;

struct Mapping {
    virt_end: u64,
    phys_start: u64,
    flags: u32,
}

#[derive(Default)]
pub struct Mappings {
    tree: BTreeMap<u64, Mapping>,
}

impl Mappings {
    pub fn len(&self) -> usize {
        self.tree.len()
    }

    /// The physical address, or nothing when the access is not allowed.
    pub fn translate(&self, address: u64, access: u32) -> Option<u64> {
        let (virt_start, mapping) = self.tree.range(..=address).next_back()?;
        if address > mapping.virt_end || mapping.flags & access != access {
            return None;
        }
        Some(mapping.phys_start + (address - virt_start))
    }

    /// False when it overlaps another.
    pub fn map(&mut self, virt_start: u64, virt_end: u64, phys_start: u64, flags: u32) -> bool {
        let below = self.tree.range(..=virt_end).next_back();
        if below.is_some_and(|(_, mapping)| mapping.virt_end >= virt_start) {
            return false;
        }
        let mapping = Mapping {
            virt_end,
            phys_start,
            flags,
        };
        self.tree.insert(virt_start, mapping);
        true
    }

    /// Removes the mapping of exactly this extent; false when there is none.
    pub fn unmap(&mut self, virt_start: u64, virt_end: u64) -> bool {
        match self.tree.entry(virt_start) {
            Entry::Occupied(entry) if entry.get().virt_end == virt_end => {
                entry.remove();
                true
            }
            _ => false,
        }
    }

    /// Removes all that lies in the extent, or nothing when a mapping reaches over one of its ends; says how many.
    pub fn unmap_all_in(&mut self, virt_start: u64, virt_end: u64) -> usize {
        let reaches_in = |bound: u64, mapping: Option<(&u64, &Mapping)>| {
            mapping.is_some_and(|(_, mapping)| mapping.virt_end >= bound)
        };
        if reaches_in(virt_start, self.tree.range(..virt_start).next_back()) {
            return 0;
        }
        if virt_end < u64::MAX && reaches_in(virt_end + 1, self.tree.range(..=virt_end).next_back())
        {
            return 0;
        }
        let mut removed = self.tree.split_off(&virt_start);
        if virt_end < u64::MAX {
            self.tree.append(&mut removed.split_off(&(virt_end + 1)));
        }
        removed.len()
    }
}
