//! The one clock of a session.

use std::time::{SystemTime, UNIX_EPOCH};

/// Issues epochs: wall time in microseconds, but always later than the last one.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: u64,
}

impl Clock {
    /// The next epoch.
    pub fn next(&mut self) -> u64 {
        // A wall clock before 1970 gives no time; the epochs then just count.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros() as u64);
        self.last = wall.max(self.last + 1);
        self.last
    }

    /// The epoch that was issued last.
    pub fn last(&self) -> u64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_is_later_even_if_the_wall_clock_is_behind() {
        let mut clock = Clock { last: u64::MAX - 10 };
        assert_eq!((clock.next(), clock.next()), (u64::MAX - 9, u64::MAX - 8));
        let mut clock = Clock::default();
        let first = clock.next();
        assert!(clock.next() > first);
    }
}
