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

/// The first eight bytes, the first one lowest; zeros where there are less.
#[inline]
pub(crate) fn first_word(bytes: &[u8]) -> u64 {
    if let Some(word) = bytes.first_chunk::<8>() {
        return u64::from_le_bytes(*word);
    }
    // Two halves that may overlap say the same where they do.
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let last = u64::from(u32::from_le_bytes(*last));
        return u64::from(u32::from_le_bytes(*first)) | last << (8 * (bytes.len() - 4));
    }
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
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
        state = fold(state ^ first_word(tail), FACTOR);
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

    #[test]
    fn words_are_read_at_every_length() {
        let bytes: Vec<u8> = (1..=9).collect();
        for length in 0..=9 {
            let mut word = [0; 8];
            word[..length.min(8)].copy_from_slice(&bytes[..length.min(8)]);
            assert_eq!(first_word(&bytes[..length]), u64::from_le_bytes(word), "{length} bytes");
        }
    }
}
