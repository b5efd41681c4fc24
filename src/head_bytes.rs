//! Names of fields in heads, eight bytes at a time.

/// The length of the field name that `line` begins with, which is in lower case, if `other` begins with the same in
/// whatever letters.
pub(crate) fn same_name(line: &[u8], other: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let (Some(word), Some(others)) = (word(line, at), word(other, at)) else {
            return same_rest(&line[at..], &other[at..]).map(|rest| at + rest);
        };
        let colons = marks(word, b':');
        // Up to and with the first colon.
        let counts = if colons == 0 { u64::MAX } else { u64::MAX >> ((7 - first(colons)) * 8) };
        if (word ^ lower(others)) & counts != 0 {
            return None;
        }
        if colons != 0 {
            return Some(at + first(colons));
        }
        at += WORD_BYTES;
    }
}

/// The same where a head ends within eight bytes.
fn same_rest(line: &[u8], other: &[u8]) -> Option<usize> {
    let length = memchr::memchr(b':', line)?;
    let is_same = other.len() > length && line[..=length].eq_ignore_ascii_case(&other[..=length]);
    is_same.then_some(length)
}

const WORD_BYTES: usize = 8;

/// The eight bytes at a place, the first of them lowest.
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(WORD_BYTES)?)?;
    bytes.try_into().ok().map(u64::from_le_bytes)
}

/// `byte` in each place.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; WORD_BYTES])
}

/// The highest bit of each place that has `byte`, and no other. Adding to seven bits carries into no other place.
fn marks(word: u64, byte: u8) -> u64 {
    let differs = word ^ each(byte);
    !(((differs & each(0x7f)) + each(0x7f)) | differs | each(0x7f))
}

/// The first place that is marked.
fn first(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

/// The letters among eight bytes in lower case.
fn lower(word: u64) -> u64 {
    let seven_bits = word & each(0x7f);
    let from_a = seven_bits + each(0x80 - b'A');
    let beyond_z = seven_bits + each(0x7f - b'Z');
    // The bit that makes the difference is two below the highest.
    word | ((from_a & !beyond_z & !word & each(0x80)) >> 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_byte_is_told_from_every_other() {
        for byte in 0..=u8::MAX {
            let bytes = [byte, b'\n', byte, byte.to_ascii_uppercase(), byte, byte, byte, b'\n'];
            let word = u64::from_le_bytes(bytes);
            assert_eq!(lower(word).to_le_bytes(), bytes.to_ascii_lowercase()[..], "{byte}");
            assert_ne!(marks(word, byte), 0);
            assert_eq!(first(marks(word, b'\n')), if byte == b'\n' { 0 } else { 1 }, "{byte}");
        }
    }

    proptest! {
        #[test]
        fn names_are_the_same_in_any_letters(name in "[a-z~^_0-9-]{0,20}", other in "[A-Za-z~^_0-9-]{0,20}", rest in "[ -~]{0,12}") {
            let line = format!("{name}: {rest}");
            let raised = format!("{}:{rest}", name.to_ascii_uppercase());
            prop_assert_eq!(same_name(line.as_bytes(), raised.as_bytes()), Some(name.len()));
            let differs = format!("{other}: {rest}");
            let expected = name.eq_ignore_ascii_case(&other).then_some(name.len());
            prop_assert_eq!(same_name(line.as_bytes(), differs.as_bytes()), expected);
            prop_assert_eq!(same_name(line.as_bytes(), other.as_bytes()), None);
        }
    }
}
