//! The hash of `num`: Murmur3 with 32 bits, seed 0, over the UTF-16 units of a text.

/// The hash of a text.
pub(super) fn hash(text: &str) -> i32 {
    let (mut hash, mut units, mut half) = (0_u32, 0_u32, None);
    for unit in text.encode_utf16() {
        units += 1;
        match half.take() {
            None => half = Some(u32::from(unit)),
            Some(low) => {
                hash ^= scrambled(low | u32::from(unit) << 16);
                hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
            }
        }
    }
    if let Some(low) = half {
        hash ^= scrambled(low);
    }
    hash ^= units.wrapping_mul(2);
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    (hash ^ hash >> 16).cast_signed()
}

fn scrambled(block: u32) -> u32 {
    block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // From the tests of another implementation over the same bytes.
        for (text, known) in [
            ("hell", 0x5a0c_b7c3_u32),
            ("hello", 0xd7c3_1989),
            ("hello w", 0x22ab_2984),
            ("hello wo", 0xdf0c_a123),
            ("The quick brown fox jumps over the lazy dog", 0xe07d_b09c),
        ] {
            assert_eq!(hash(text), known.cast_signed(), "{text}");
        }
        assert_eq!(hash(""), 0);
    }
}
