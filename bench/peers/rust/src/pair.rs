//! Work `pair size=4096|1073741824 offset=0|4096 count=N`: one operation is a map and the unmap of the same extent, among N
//! resident mappings. Timed: taking the next of the prepared places, both calls.
use crate::keys::Keys;
use crate::mappings::{Mappings, READ, WRITE};
use crate::pages::{free_places, large_places, map_residents, phys_of, GIB, PAGE_SIZE};
use crate::work::{expect, Failure, Work};
use std::time::Instant;

pub struct PairWork {
    mappings: Mappings,
    count: usize,
    size: u64,
    places: Vec<u64>,
    next: usize,
    done: u64,
}

impl PairWork {
    pub fn new(keys: &mut Keys) -> Result<Self, Failure> {
        let count = keys.count("count")?;
        let is_large = keys.choice("size", &["4096", "1073741824"])? != "4096";
        let offset = match keys.choice("offset", &["0", "4096"])? {
            "0" => 0,
            _ => PAGE_SIZE,
        };
        let places = if is_large {
            large_places(offset)
        } else {
            free_places(count)
        };
        let mut mappings = Mappings::default();
        expect(
            map_residents(&mut mappings, count),
            "a resident overlaps another",
        )?;
        Ok(PairWork {
            mappings,
            count,
            size: if is_large { GIB } else { PAGE_SIZE },
            places,
            next: 0,
            done: 0,
        })
    }
}

impl Work for PairWork {
    fn check(&mut self) -> Result<(), Failure> {
        let (start, end) = (self.places[0], self.places[0] + (self.size - 1));
        let phys = phys_of(start);
        let mappings = &mut self.mappings;
        let mapped = mappings.map(start, end, phys, READ)
            && mappings.translate(end, READ) == Some(phys + (self.size - 1))
            && mappings.translate(end, WRITE).is_none()
            && !mappings.map(end, end, phys, READ);
        expect(mapped, "a map did not do what it has to")?;
        let unmapped = !mappings.unmap(start, end - 1)
            && mappings.unmap(start, end)
            && mappings.translate(start, READ).is_none()
            && mappings.len() == self.count;
        expect(unmapped, "an unmap did not do what it has to")
    }

    fn run(&mut self, operations: u64) -> Result<u64, Failure> {
        let mut failed = 0;
        let start = Instant::now();
        for _ in 0..operations {
            let virt_start = self.places[self.next];
            let virt_end = virt_start + (self.size - 1);
            self.next += 1;
            if self.next == self.places.len() {
                self.next = 0;
            }
            if !self
                .mappings
                .map(virt_start, virt_end, phys_of(virt_start), READ | WRITE)
                || !self.mappings.unmap(virt_start, virt_end)
            {
                failed += 1;
            }
        }
        let nanoseconds = start.elapsed().as_nanos() as u64;
        self.done += operations;
        expect(
            failed == 0 && self.mappings.len() == self.count,
            "a pair failed",
        )?;
        Ok(nanoseconds)
    }

    fn sink(&self) -> u64 {
        self.done
    }
}
