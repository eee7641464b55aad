//! What is known of a large partition, so that it need not be read from its beginning: how many rows stand before some
//! of its rows, and what running functions know there.

use super::functions::State;

/// Rows between two places that are known, at least.
pub(super) const APART: usize = 512;

/// A place in a partition.
pub(super) struct Place {
    /// The order columns of the rows from there on are not smaller than these bytes, those of the rows before it are.
    pub start: Box<[u8]>,
    /// Number of rows before it.
    pub rows: u64,
    /// Number of groups of peers before it.
    pub groups: u64,
    /// What the functions know of the rows before it; a value as it is encoded.
    pub states: Vec<State<Box<[u8]>>>,
}

/// The places that are known of a partition, in order.
#[derive(Default)]
pub(super) struct Known {
    places: Vec<Place>,
}

impl Known {
    /// The place to read from, so that all from `start` on and so many rows before are seen: its number and itself.
    /// `None` for the beginning.
    pub fn before(&self, start: &[u8], rows: u64) -> Option<(usize, &Place)> {
        let mut number = self.places.partition_point(|place| *place.start <= *start).checked_sub(1)?;
        if rows > 0 {
            // At most so many stand before what is to be seen.
            let most = self.places[number].rows.checked_sub(rows)?;
            number = self.places.partition_point(|place| place.rows <= most).min(number + 1).checked_sub(1)?;
        }
        Some((number, &self.places[number]))
    }

    /// A region from the place `from` to the value `last` (`None` for all that follows) was read: these are its places now,
    /// and so many more rows and groups of peers stand before all later ones.
    pub fn replace(&mut self, from: Option<usize>, last: Option<&[u8]>, now: Vec<Place>, rows: i64, groups: i64) {
        let begin = from.map_or(0, |from| from + 1);
        let end = match last {
            Some(last) => self.places.partition_point(|place| *place.start <= *last).max(begin),
            None => self.places.len(),
        };
        for place in &mut self.places[end..] {
            place.rows = place.rows.saturating_add_signed(rows);
            place.groups = place.groups.saturating_add_signed(groups);
        }
        self.places.splice(begin..end, now);
    }

    /// True if nothing is known any more.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(start: u8, rows: u64) -> Place {
        Place { start: Box::new([start]), rows, groups: rows, states: Vec::new() }
    }

    fn known() -> Known {
        Known { places: vec![place(10, 100), place(20, 200), place(30, 300)] }
    }

    #[test]
    fn reading_begins_before_what_is_to_be_seen() {
        let known = known();
        let found = |start: u8, rows: u64| known.before(&[start], rows).map(|(number, _)| number);
        assert_eq!(found(5, 0), None);
        assert_eq!(found(10, 0), Some(0));
        assert_eq!(found(25, 0), Some(1));
        assert_eq!(found(25, 1), Some(0));
        assert_eq!(found(35, 100), Some(1));
        assert_eq!(found(35, 101), Some(0));
        assert_eq!(found(35, 201), None);
        assert_eq!(found(35, 1_000), None);
    }

    #[test]
    fn later_places_move() {
        let mut known = known();
        known.replace(Some(0), Some(&[24]), vec![place(15, 160)], 3, -1);
        let all: Vec<_> = known.places.iter().map(|place| (place.start[0], place.rows, place.groups)).collect();
        assert_eq!(all, [(10, 100, 100), (15, 160, 160), (30, 303, 299)]);
        known.replace(None, None, Vec::new(), 0, 0);
        assert!(known.is_empty());
    }
}
