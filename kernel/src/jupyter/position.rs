//! Positions in a text: front ends count Unicode code points, the host counts bytes.

/// The byte offset of the code point number `points`; the end of the text if there are fewer.
pub fn to_bytes(text: &str, points: usize) -> usize {
    text.char_indices().nth(points).map_or(text.len(), |(offset, _)| offset)
}

/// The number of code points before the byte `offset`; an offset inside a code point counts as its beginning.
pub fn to_points(text: &str, offset: usize) -> usize {
    text.char_indices().take_while(|(start, c)| start + c.len_utf8() <= offset).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_point_goes_there_and_back() {
        let text = "aé😀z";
        let offsets: Vec<usize> = (0..=4).map(|point| to_bytes(text, point)).collect();
        assert_eq!(offsets, vec![0, 1, 3, 7, 8]);
        for (point, offset) in offsets.into_iter().enumerate() {
            assert_eq!(to_points(text, offset), point);
        }
    }

    #[test]
    fn positions_outside_the_text_are_its_end() {
        assert_eq!(to_bytes("é", 9), 2);
        assert_eq!(to_points("é", 9), 1);
        assert_eq!(to_points("é", 1), 0);
        assert_eq!(to_bytes("", 0), 0);
    }
}
