//! Binary data as text: standard base64, written without padding.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Appends the text for these bytes.
pub(super) fn write(out: &mut String, data: &[u8]) {
    ENGINE.encode_string(data, out);
}

/// Reads text with or without padding. As the JavaScript package does on Node, it takes the
/// URL-safe alphabet too, steps over what is in neither, and stops at padding; so this doesn't fail.
pub(super) fn read(text: &str) -> Vec<u8> {
    ENGINE.decode(text).unwrap_or_else(|_| read_leniently(text))
}

#[cold]
fn read_leniently(text: &str) -> Vec<u8> {
    let mut plain: Vec<u8> = text
        .bytes()
        .take_while(|byte| *byte != b'=')
        .filter_map(|byte| match byte {
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            b'+' | b'/' => Some(byte),
            _ => byte.is_ascii_alphanumeric().then_some(byte),
        })
        .collect();
    // A single character left over has too few bits for a byte.
    if plain.len() % 4 == 1 {
        plain.pop();
    }
    ENGINE.decode(plain).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_node_reads() {
        for (text, data) in [
            ("", &b""[..]),
            ("AQID", b"\x01\x02\x03"),
            ("AQI", b"\x01\x02"),
            ("AQI=", b"\x01\x02"),
            ("AQ==", b"\x01"),
            ("AR", b"\x01"),
            ("A", b""),
            ("AQIDB", b"\x01\x02\x03"),
            ("-_-_", b"\xfb\xff\xbf"),
            ("A Q\nID", b"\x01\x02\x03"),
            ("AQ==AQ", b"\x01"),
            ("é", b""),
        ] {
            assert_eq!(read(text), data, "{text:?}");
        }
    }

    #[test]
    fn writes_without_padding() {
        let mut out = String::from("x");
        write(&mut out, &[1, 2]);
        assert_eq!(out, "xAQI");
    }
}
