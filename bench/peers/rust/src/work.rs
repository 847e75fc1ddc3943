//! The contract of a work, and how one fails.

pub enum Failure {
    /// What was asked for is not understood: exit code 2.
    Usage(String),
    /// A result is not what it has to be: exit code 1.
    Wrong(String),
}

/// One kind of work, set up.
pub trait Work {
    /// Checks its own results once, before anything is timed.
    fn check(&mut self) -> Result<(), Failure>;
    /// Does that many operations; says the nanoseconds of what is timed.
    fn run(&mut self, operations: u64) -> Result<u64, Failure>;
    /// Depends on all results, so that nothing is optimised away.
    fn sink(&self) -> u64;
}

pub fn expect(holds: bool, what: &str) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(Failure::Wrong(what.into()))
    }
}
