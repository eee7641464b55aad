//! The one clock of a session.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time in microseconds since 1970: that of the system, unless another one is given.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl WallClock {
    /// A clock that is asked by a call.
    pub fn new(now: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        WallClock(Arc::new(now))
    }

    /// Microseconds since 1970.
    pub fn now(&self) -> u64 {
        (self.0)()
    }
}

impl Default for WallClock {
    fn default() -> Self {
        // A wall clock before 1970 gives no time; the epochs then just count.
        WallClock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros() as u64))
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WallClock({})", self.now())
    }
}

/// Issues epochs: wall time in microseconds, but always later than the last one.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: u64,
    wall: WallClock,
}

impl Clock {
    /// A clock that goes by `wall`.
    pub fn new(wall: WallClock) -> Self {
        Clock { last: 0, wall }
    }

    /// The next epoch.
    pub fn next(&mut self) -> u64 {
        self.last = self.wall.now().max(self.last + 1);
        self.last
    }

    /// Microseconds from the last epoch to now.
    pub fn since_last(&self) -> u64 {
        self.wall.now().saturating_sub(self.last)
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
        let mut clock = Clock { last: u64::MAX - 10, ..Clock::default() };
        assert_eq!((clock.next(), clock.next()), (u64::MAX - 9, u64::MAX - 8));
        let mut clock = Clock::default();
        let first = clock.next();
        assert!(clock.next() > first);
    }
}
