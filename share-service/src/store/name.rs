//! File names for ids that peers choose.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::core::ShareId;

/// Everything but digits, small letters and the hyphen.
const UNSAFE: &AsciiSet = &{
    let mut set = NON_ALPHANUMERIC.remove(b'-');
    let mut letter = b'A';
    while letter <= b'Z' {
        set = set.add(letter);
        letter += 1;
    }
    set
};

/// The name of the file for a share: a different one for every id, also where the file system ignores case, and never
/// one that leads out of its directory.
///
/// Capital letters, dots, slashes and everything beyond ASCII are percent-encoded. The bound on the length of ids
/// keeps the name below the 255 bytes that file systems allow.
pub(super) fn file_name(id: &ShareId) -> String {
    format!("{}.json", utf8_percent_encode(id.as_str(), UNSAFE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(id: &str) -> String {
        file_name(&ShareId::parse(id).unwrap())
    }

    #[test]
    fn ordinary_ids_stay_readable() {
        assert_eq!(name("n-abc123"), "n-abc123.json");
        assert_eq!(name("BcDe0123"), "%42c%44e0123.json");
    }

    #[test]
    fn no_id_leads_out_of_the_directory() {
        for id in ["..", ".", "../../x", "/etc", "a\\b", "a\0b", "C:x", "~", ".hidden", "\n"] {
            let name = name(id);
            let stem = name.strip_suffix(".json").unwrap();
            assert!(
                stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'%'),
                "{id:?} became {name}"
            );
        }
    }

    #[test]
    fn ids_that_differ_in_case_only_differ_otherwise_as_files() {
        let names = ["abc", "ABC", "Abc", "%41bc", "%61bc"].map(|id| name(id).to_ascii_lowercase());
        for (i, one) in names.iter().enumerate() {
            assert!(!names[i + 1..].contains(one), "{one} twice");
        }
    }

    #[test]
    fn the_longest_id_fits_a_file_name() {
        assert!(name(&"É".repeat(32)).len() <= 255);
    }
}
