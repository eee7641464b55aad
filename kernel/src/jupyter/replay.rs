//! Signatures that have come, so that a message which somebody has recorded is not obeyed a second time.

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;

/// Signatures that are remembered, as many as Jupyter's own sessions keep.
const REMEMBERED: usize = 1 << 16;

/// The latest signatures of all channels.
#[derive(Debug, Default)]
pub struct Signatures {
    known: HashSet<Bytes>,
    /// Oldest first.
    order: VecDeque<Bytes>,
}

impl Signatures {
    /// Notes a signature; false if it has come before.
    pub fn is_new(&mut self, signature: &Bytes) -> bool {
        // A slice of a message would keep the whole of it.
        let own = Bytes::copy_from_slice(signature);
        if !self.known.insert(own.clone()) {
            return false;
        }
        self.order.push_back(own);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_new_once_and_memory_is_bounded() {
        let mut signatures = Signatures::default();
        let signature = |number: usize| Bytes::from(number.to_string());
        for number in 0..REMEMBERED + 10 {
            assert!(signatures.is_new(&signature(number)));
        }
        assert!(!signatures.is_new(&signature(REMEMBERED + 9)));
        assert_eq!((signatures.known.len(), signatures.order.len()), (REMEMBERED, REMEMBERED));
    }
}
