//! Changes that are told at most so often.
//!
//! A change of an epoch is moved to the next of the moments at which something is told. These are the same for all
//! workers, so what is told is the table as it was at one moment. What cancels until then has never been.

use crate::delta::{Delta, Rows};
use crate::render::union::map;

/// The changes of `rows` at `install` and at whole multiples of `every` after it.
pub(in crate::render) fn throttle(rows: Rows<'_>, every: u64, install: u64) -> Rows<'_> {
    map(rows, "Throttle", move |delta| Delta { epoch: moment(delta.epoch, every, install), changes: delta.changes })
}

/// The first moment at `epoch` or later.
fn moment(epoch: u64, every: u64, install: u64) -> u64 {
    let since = epoch.saturating_sub(install);
    install.saturating_add(since.div_ceil(every.max(1)).saturating_mul(every.max(1)))
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn a_moment_is_the_next_multiple_after_the_installation() {
        let told: Vec<u64> = [100, 101, 149, 150, 151, 999].map(|epoch| moment(epoch, 50, 100)).to_vec();
        assert_eq!(told, [100, 150, 150, 150, 200, 1000]);
        assert_eq!(moment(u64::MAX, 50, 100), u64::MAX);
    }
}
