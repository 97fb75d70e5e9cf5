//! Random texts for generated passwords and secrets.

use rand::RngExt;

/// Letters and digits that are not mistaken for each other, so that they can be read out and pasted anywhere.
const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

/// A text of that length from the system's secure generator.
pub fn text(length: usize) -> String {
    let mut random = rand::rng();
    (0..length).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
}
