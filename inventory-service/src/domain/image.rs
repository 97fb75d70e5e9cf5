//! What a picture of a product may be: one of five formats, told by its first bytes and not by what its sender says.
//! SVG is none of them: it can carry script.

use sha2::{Digest as _, Sha256};
use shared_events::inventory::ProductImage;

/// How many a product may have.
pub const MOST_IMAGES: usize = 50;
const LONGEST_NAME: usize = 100;

/// The formats: media type, where their mark begins, and the mark.
const FORMATS: [(&str, usize, &[u8]); 6] = [
    ("image/png", 0, b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", 0, b"\xff\xd8\xff"),
    ("image/gif", 0, b"GIF8"),
    ("image/webp", 8, b"WEBP"),
    ("image/avif", 4, b"ftypavif"),
    ("image/avif", 4, b"ftypavis"),
];

/// The media type that the bytes have by their mark; none where they are no picture of a known format.
#[must_use]
pub fn format_of(bytes: &[u8]) -> Option<&'static str> {
    let is = |(_, from, mark): &&(&str, usize, &[u8])| bytes.get(*from..).is_some_and(|rest| rest.starts_with(mark));
    FORMATS.iter().find(is).map(|(media_type, ..)| *media_type)
}

/// Whether a picture may have that name: it is a file name, in a URL and in the image store.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=LONGEST_NAME).contains(&name.len()) && !name.starts_with('.') && name.chars().all(is_plain)
}

/// A picture of these bytes.
#[must_use]
pub fn described(name: &str, content_type: &str, bytes: &[u8]) -> ProductImage {
    use std::fmt::Write as _;
    let mut sha256 = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(sha256, "{byte:02x}");
    }
    ProductImage {
        name: name.to_owned(),
        content_type: content_type.to_owned(),
        bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        sha256,
    }
}

/// The pictures with this one: in the place of the one with its name, else at the end.
#[must_use]
pub fn with(mut images: Vec<ProductImage>, image: ProductImage) -> Vec<ProductImage> {
    match images.iter_mut().find(|other| other.name == image.name) {
        Some(other) => *other = image,
        None => images.push(image),
    }
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_told_by_its_mark() {
        assert_eq!(format_of(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(format_of(b"RIFF\x10\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(format_of(b"\0\0\0\x1cftypavif"), Some("image/avif"));
        for other in [&b""[..], b"<svg xmlns", b"<html>", b"RIFF\x10\0\0\0WAVE", b"\x89PNG"] {
            assert_eq!(format_of(other), None);
        }
    }

    #[test]
    fn a_name_is_a_plain_file_name() {
        assert!(["front.webp", "a", "Back_2-x.JPG"].into_iter().all(is_name));
        assert!(!["", ".hidden", "..", "a/b", "a b", "ä.png", &"x".repeat(101)].into_iter().any(is_name));
    }

    #[test]
    fn a_picture_takes_the_place_of_the_one_with_its_name() {
        let [front, back] = ["front", "back"].map(|name| described(name, "image/png", b"1"));
        let newer = described("front", "image/png", b"2");
        let images = with(with(vec![front], back.clone()), newer.clone());
        assert_eq!(images, [newer, back]);
    }
}
