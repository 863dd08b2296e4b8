//! Unsigned integers of variable length: seven bits a byte, the lowest first, the highest bit saying that more follow.
//!
//! Source: "Unsigned LEB128" in the Apache Parquet format's `Encodings.md`, and Thrift's compact protocol.

/// The integer at the beginning of `bytes`, and the bytes after it; `None` if it doesn't end there or within 64 bits.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    let mut rest = bytes;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_ends_with_the_first_byte_without_the_highest_bit() {
        assert_eq!(varint(&[0x96, 1, 7]), Some((150, &[7][..])));
        assert_eq!(varint(&[0]), Some((0, &[][..])));
        assert_eq!(varint(&[0x80]), None);
        assert_eq!(varint(&[]), None);
        assert_eq!(varint(&[0xff; 11]), None, "longer than 64 bits");
    }
}
