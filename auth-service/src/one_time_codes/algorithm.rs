//! RFC 6238 over RFC 4226: six digits of an HMAC over the number of thirty-second steps since 1970. SHA-1, because that
//! is what authenticators take; its collisions mean nothing to an HMAC.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

const STEP_SECONDS: i64 = 30;
const DIGITS: usize = 6;
/// How many steps a clock may be off, each way.
const STEPS_OFF: i64 = 1;

/// The step whose code this is, at that time (seconds since 1970) or one step before or after it.
pub(super) fn step_of(secret: &[u8], code: &str, now: i64) -> Option<i64> {
    let code: String = code.chars().filter(|letter| *letter != ' ').collect();
    if code.len() != DIGITS || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let step = now.div_euclid(STEP_SECONDS);
    let mut steps = step - STEPS_OFF..=step + STEPS_OFF;
    steps.find(|step| bool::from(code_at(secret, *step).as_bytes().ct_eq(code.as_bytes())))
}

/// The code of a step.
fn code_at(secret: &[u8], step: i64) -> String {
    let number = truncated(secret, step) % 10_u32.pow(6);
    format!("{number:0DIGITS$}")
}

/// RFC 4226 §5.3.
fn truncated(secret: &[u8], step: i64) -> u32 {
    let mut mac = <Hmac<Sha1>>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&step.to_be_bytes());
    let hash: [u8; 20] = mac.finalize().into_bytes().into();
    let offset = usize::from(hash[19] & 0xf);
    u32::from_be_bytes([hash[offset], hash[offset + 1], hash[offset + 2], hash[offset + 3]]) & 0x7fff_ffff
}

/// RFC 4648 §6 without padding.
pub(super) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut group = [0_u8; 8];
        group[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(group);
        let letters = (chunk.len() * 8).div_ceil(5);
        text.extend((0..letters).map(|letter| char::from(ALPHABET[(bits >> (35 - 5 * letter) & 31) as usize])));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn the_codes_are_those_of_rfc_6238_appendix_b() {
        for (time, eight_digits) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            assert_eq!(truncated(SECRET, time / 30) % 100_000_000, eight_digits, "{time}");
            let code = format!("{:06}", eight_digits % 1_000_000);
            assert_eq!(step_of(SECRET, &code, time), Some(time / 30), "{time}");
        }
    }

    #[test]
    fn a_code_is_good_a_step_before_and_after_its_own_and_no_longer() {
        let code = code_at(SECRET, 1_000);
        for (step, good) in [(998, false), (999, true), (1_000, true), (1_001, true), (1_002, false)] {
            assert_eq!(step_of(SECRET, &code, step * 30 + 15).is_some(), good, "{step}");
        }
        assert_eq!(step_of(b"another secret of that sort", &code, 30_000), None);
    }

    #[test]
    fn only_six_digits_are_a_code() {
        let code = code_at(SECRET, 1_000);
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        assert_eq!(step_of(SECRET, &spaced, 30_000), Some(1_000));
        for wrong in ["", "12345", "1234567", "12345a", "+12345", "١٢٣٤٥٦", &format!("{code}0")] {
            assert_eq!(step_of(SECRET, wrong, 30_000), None, "{wrong}");
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648_section_10() {
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB")]
        {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert_eq!(base32(SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}
