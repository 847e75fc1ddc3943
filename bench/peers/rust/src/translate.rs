//! Work `translate count=N pattern=random|hot`: one operation is one translation of an address for a read. Timed: taking the
//! next of 65,536 prepared addresses, translating it, adding the result to the sink.
use crate::keys::Keys;
use crate::mappings::{Mappings, READ};
use crate::pages::{free_start, map_residents, phys_of, resident_start};
use crate::random::Random;
use crate::work::{expect, Failure, Work};
use std::time::Instant;

const ADDRESSES: usize = 65_536;
const HOT: usize = 64;

pub struct TranslateWork {
    mappings: Mappings,
    count: usize,
    addresses: Vec<u64>,
    next: usize,
    sink: u64,
}

impl TranslateWork {
    pub fn new(keys: &mut Keys) -> Result<Self, Failure> {
        let count = keys.count("count")?;
        let limit = match keys.choice("pattern", &["random", "hot"])? {
            "hot" => count.min(HOT),
            _ => count,
        };
        let mut mappings = Mappings::default();
        expect(
            map_residents(&mut mappings, count),
            "a resident overlaps another",
        )?;
        let mut random = Random::new();
        let addresses = (0..ADDRESSES)
            .map(|_| resident_start(random.below(limit)) + 4 * random.below(1023) as u64)
            .collect();
        Ok(TranslateWork {
            mappings,
            count,
            addresses,
            next: 0,
            sink: 0,
        })
    }
}

impl Work for TranslateWork {
    fn check(&mut self) -> Result<(), Failure> {
        let (first, last) = (resident_start(0), resident_start(self.count - 1));
        let mappings = &self.mappings;
        let is_right = mappings.translate(last + 8, READ) == Some(phys_of(last) + 8)
            && mappings.translate(first + 4095, READ) == Some(phys_of(first) + 4095);
        expect(is_right, "a translation is wrong")?;
        let is_denied = mappings
            .translate(free_start(self.count - 1), READ)
            .is_none()
            && mappings.translate(first - 1, READ).is_none()
            && mappings.translate(first, 8).is_none();
        expect(is_denied, "an access that is not allowed was translated")
    }

    fn run(&mut self, operations: u64) -> Result<u64, Failure> {
        let (mut next, mut sink, mut denied) = (self.next, self.sink, 0);
        let start = Instant::now();
        for _ in 0..operations {
            match self.mappings.translate(self.addresses[next], READ) {
                Some(address) => sink = sink.wrapping_add(address),
                None => denied += 1,
            }
            next = (next + 1) & (ADDRESSES - 1);
        }
        let nanoseconds = start.elapsed().as_nanos() as u64;
        (self.next, self.sink) = (next, sink);
        expect(denied == 0, "a mapped address was not translated")?;
        Ok(nanoseconds)
    }

    fn sink(&self) -> u64 {
        self.sink
    }
}
