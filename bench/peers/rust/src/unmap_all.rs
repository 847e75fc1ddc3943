//! Work `unmap-all count=N`: one operation is one removed mapping. Timed: the unmap of the extent that holds all N, with
//! their memory freed; mapping them anew is not timed. Operations come in multiples of N.
use crate::keys::Keys;
use crate::mappings::{Mappings, READ};
use crate::pages::{map_residents, resident_start};
use crate::work::{expect, Failure, Work};
use std::time::Instant;

pub struct UnmapAllWork {
    mappings: Mappings,
    count: usize,
    removed: u64,
}

impl UnmapAllWork {
    pub fn new(keys: &mut Keys) -> Result<Self, Failure> {
        Ok(UnmapAllWork {
            mappings: Mappings::default(),
            count: keys.count("count")?,
            removed: 0,
        })
    }
}

impl Work for UnmapAllWork {
    fn check(&mut self) -> Result<(), Failure> {
        let mappings = &mut self.mappings;
        expect(
            map_residents(mappings, self.count),
            "a resident overlaps another",
        )?;
        let first = resident_start(0);
        expect(
            mappings.unmap_all_in(first + 1, u64::MAX) == 0 && mappings.unmap_all_in(0, first) == 0,
            "an unmap split a mapping",
        )?;
        expect(
            mappings.unmap_all_in(0, u64::MAX) == self.count
                && mappings.len() == 0
                && mappings.translate(first, READ).is_none(),
            "an unmap left a mapping",
        )
    }

    fn run(&mut self, operations: u64) -> Result<u64, Failure> {
        let count = self.count as u64;
        if operations % count != 0 {
            return Err(Failure::Usage(format!(
                "run a multiple of {count} operations"
            )));
        }
        let mut nanoseconds = 0;
        for _ in 0..operations / count {
            expect(
                map_residents(&mut self.mappings, self.count),
                "a resident overlaps another",
            )?;
            let start = Instant::now();
            let removed = self.mappings.unmap_all_in(0, u64::MAX);
            nanoseconds += start.elapsed().as_nanos() as u64;
            expect(removed == self.count, "an unmap left a mapping")?;
            self.removed += removed as u64;
        }
        Ok(nanoseconds)
    }

    fn sink(&self) -> u64 {
        self.removed
    }
}
