//! One hash with a fixed seed, so that every worker, process and run sends a key to the same place.
//!
//! Folded 64 by 64 bit multiplication, as in wyhash (Wang Yi) and foldhash (Orson Peters).

const SEED: u64 = 0x243f_6a88_85a3_08d3;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Hash of a byte string.
#[inline]
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut state = SEED ^ (bytes.len() as u64);
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), FACTOR);
    }
    if !tail.is_empty() {
        let mut last = 0u64;
        for byte in tail.iter().rev() {
            last = (last << 8) | u64::from(*byte);
        }
        state = fold(state ^ last, FACTOR);
    }
    fold(state, SEED | 1)
}

/// Hash of a word.
#[inline]
pub(crate) fn hash_word(word: u64) -> u64 {
    fold(fold(word ^ SEED, FACTOR), SEED | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_keys_spread_over_workers() {
        let mut counts = [0usize; 4];
        for i in 0..40_000u64 {
            counts[(hash_bytes(&i.to_be_bytes()) % 4) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_000..11_000).contains(count)), "{counts:?}");
        assert_ne!(hash_bytes(b""), hash_bytes(b"\0"), "length counts");
        assert_ne!(hash_word(1), hash_word(2));
    }
}
