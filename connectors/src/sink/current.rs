//! The current rows of a keyed table, and changes that are not visible yet.

use std::collections::{BTreeMap, HashMap};

use tidebook_plan::connector::ConnectorError;

/// A key or a record as bytes.
pub type Bytes = Box<[u8]>;

/// Rows by the order-preserving bytes of their keys.
#[derive(Default)]
pub struct CurrentRows {
    rows: BTreeMap<Bytes, Bytes>,
    /// Key, record and difference.
    staged: BTreeMap<u64, Vec<(Bytes, Bytes, i64)>>,
}

/// The rows that touched keys have: none or one each.
pub type Outcome = Vec<(Bytes, Option<Bytes>)>;

impl CurrentRows {
    /// Takes a change of an epoch.
    pub fn stage(&mut self, epoch: u64, key: Bytes, record: Bytes, diff: i64) {
        self.staged.entry(epoch).or_default().push((key, record, diff));
    }

    /// The rows that the touched keys have after the changes up to `epoch`. `show` writes a record for people.
    ///
    /// # Errors
    /// Where a key would have more than one row.
    pub fn outcome(&self, epoch: u64, show: impl Fn(&[u8]) -> String) -> Result<Outcome, ConnectorError> {
        let mut keys: HashMap<&Bytes, Vec<(&Bytes, i64)>> = HashMap::new();
        for (key, record, diff) in self.staged.range(..=epoch).flat_map(|(_, changes)| changes) {
            let records =
                keys.entry(key).or_insert_with(|| self.rows.get(key).map(|record| (record, 1)).into_iter().collect());
            match records.iter_mut().find(|(known, _)| *known == record) {
                Some((_, count)) => *count += diff,
                None => records.push((record, *diff)),
            }
        }
        let mut outcome = Vec::with_capacity(keys.len());
        for (key, records) in keys {
            let mut left = records.into_iter().filter(|(_, count)| *count != 0);
            let record = match (left.next(), left.next()) {
                (None, _) => None,
                (Some((record, 1)), None) => Some(record.clone()),
                (Some((record, _)), _) => {
                    let message = format!("the key of {} has more than one row", show(record));
                    return Err(ConnectorError::Format { what: "upsert".to_string(), message });
                }
            };
            outcome.push((key.clone(), record));
        }
        Ok(outcome)
    }

    /// Puts records in the place of others, which it leaves in `outcome`: done twice, it changes nothing.
    pub fn swap(&mut self, outcome: &mut Outcome) {
        for (key, record) in outcome {
            let before = match record.take() {
                Some(record) => self.rows.insert(key.clone(), record),
                None => self.rows.remove(key),
            };
            *record = before;
        }
    }

    /// Forgets the changes up to `epoch`, which are in the target now.
    pub fn committed(&mut self, epoch: u64) {
        self.staged = self.staged.split_off(&(epoch + 1));
    }

    /// The records in the order of their keys.
    pub fn records(&self) -> impl Iterator<Item = &Bytes> {
        self.rows.values()
    }

    /// True without rows and changes.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.staged.is_empty()
    }
}
