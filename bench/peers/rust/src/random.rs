//! Pseudo-random numbers that are the same on every run: xorshift32.

pub struct Random {
    state: u32,
}

impl Random {
    pub fn new() -> Self {
        Random { state: 0x9e37_79b9 }
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        self.state as usize % limit
    }
}

/// The numbers below `count` in random order (Fisher and Yates).
pub fn shuffled(count: usize) -> Vec<usize> {
    let mut random = Random::new();
    let mut order: Vec<usize> = (0..count).collect();
    for index in (1..count).rev() {
        order.swap(index, random.below(index + 1));
    }
    order
}
