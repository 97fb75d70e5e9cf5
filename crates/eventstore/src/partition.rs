//! Which partition a stream belongs to: what Java's default Kafka partitioner would choose for its id, so that a
//! topic and the log agree without a table. Fixed for ever: another answer would move streams.

const SEED: u32 = 0x9747_b28c;
const MULTIPLIER: u32 = 0x5bd1_e995;

/// The partition of a stream in a log of `partitions` partitions.
///
/// ```
/// assert_eq!(eventstore::partition_of("foobar", 8), (-790332482_i32 & 0x7fff_ffff) % 8);
/// ```
#[must_use]
pub fn partition_of(stream_id: &str, partitions: i32) -> i32 {
    (murmur2(stream_id.as_bytes()) & 0x7fff_ffff) % partitions
}

/// Murmur 2 with 32 bits as in Kafka's `Utils.murmur2`.
fn murmur2(bytes: &[u8]) -> i32 {
    let length = u32::try_from(bytes.len()).expect("a stream id is shorter than 4 GiB");
    let mut hash = SEED ^ length;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        k ^= k >> 24;
        hash = hash.wrapping_mul(MULTIPLIER) ^ k.wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        for (place, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    (hash ^ (hash >> 15)).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::{murmur2, partition_of};

    #[test]
    fn murmur2_gives_the_numbers_of_kafkas_own_tests() {
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()), hash, "{key}");
        }
    }

    #[test]
    fn a_negative_hash_still_gives_a_partition() {
        assert_eq!(partition_of("21", 8), (-973_932_308_i32 & 0x7fff_ffff) % 8);
        assert!((0..1000).all(|n| (0..8).contains(&partition_of(&format!("stream-{n}"), 8))));
    }
}
