//! The attacks on access tokens, as one table: what has been tried on JOSE libraries, rewritten for our tokens. Every row
//! says where it comes from and why it has to be refused; where the attack is not about the signature, the row's
//! signature is right, so that nothing but that reason can refuse it.
//!
//! Sources: RFC 7515 (JWS) with its appendices, RFC 7519 (JWT), RFC 7520 (JOSE examples), RFC 7797 (b64), RFC 8725 (JWT best
//! practice), RFC 9068 (access tokens), and the public classes of Wycheproof's `ecdsa_secp256r1_sha256_p1363` and
//! `json_web_signature` tests. The values are made here, of the key at hand.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use serde_json::{Value, json};

/// The header is no JSON, or there are not three parts.
const NO_JWT: &str = "the access token is no JSON Web Token";
/// The header holds what ours do not hold, or holds it twice.
const HEADER: &str = "the access token's header is not typ, alg and kid, each once";
/// Another algorithm or another kind of JWT.
const KIND: &str = "the token is no ES256 access token (typ at+jwt)";
const NO_KEY_NAMED: &str = "the access token names no key (kid)";
const UNKNOWN_KEY: &str = "the access token is signed with a key that is not known";
const SIGNATURE: &str = "the access token's signature is not valid";
const EXPIRED: &str = "the access token has expired";
const EARLY: &str = "the access token is not valid yet";
const ISSUER: &str = "the access token is of another issuer";
const AUDIENCE: &str = "the access token is for another audience";
/// A part is no base64url, or a claim is missing or of another type.
const INVALID: &str = "the access token is not valid";
const TOO_LONG: &str = "the access token is too long";

/// The order of P-256, big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// One attack.
#[derive(Debug)]
pub struct Forgery {
    /// What is tried.
    pub attack: &'static str,
    /// Where it is described.
    pub source: &'static str,
    /// The token that is presented.
    pub token: String,
    /// Why it is refused: the problem's detail.
    pub because: &'static str,
}

/// What the table is made of: claims that are accepted, and the key that signs them.
pub struct Genuine {
    /// The key's name.
    pub kid: String,
    /// The private key, PKCS#8 in DER.
    pub key: Vec<u8>,
    /// Claims that are accepted now.
    pub claims: Value,
}

impl Genuine {
    /// The token that is accepted: the table's control.
    #[must_use]
    pub fn token(&self) -> String {
        self.signed(&self.header().to_string(), &self.claims.to_string())
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "ES256", "kid": self.kid})
    }

    /// Header and claims as they are, rightly signed.
    fn signed(&self, header: &str, claims: &str) -> String {
        self.signed_parts(&URL_SAFE_NO_PAD.encode(header), &URL_SAFE_NO_PAD.encode(claims))
    }

    fn signed_parts(&self, header: &str, claims: &str) -> String {
        sign(&format!("{header}.{claims}"), &self.key)
    }

    /// The usual claims under a header with these members besides or instead, rightly signed.
    fn with_header(&self, members: &[(&str, Value)]) -> String {
        let mut header = self.header();
        for (name, value) in members {
            header[*name] = value.clone();
        }
        self.signed(&header.to_string(), &self.claims.to_string())
    }

    fn without_header(&self, name: &str) -> String {
        let mut header = self.header();
        header.as_object_mut().expect("a header is an object").remove(name);
        self.signed(&header.to_string(), &self.claims.to_string())
    }

    /// The usual header over these claims besides or instead (`null` takes one away), rightly signed.
    fn with_claim(&self, name: &str, value: impl Into<Value>) -> String {
        let mut claims = self.claims.clone();
        match value.into() {
            Value::Null => drop(claims.as_object_mut().expect("claims are an object").remove(name)),
            value => claims[name] = value,
        }
        self.signed(&self.header().to_string(), &claims.to_string())
    }

    fn public_point(&self) -> Vec<u8> {
        let key = SecretKey::from_pkcs8_der(&self.key).expect("the key is PKCS#8");
        key.public_key().to_sec1_point(false).as_bytes().to_vec()
    }
}

fn sign(message: &str, key: &[u8]) -> String {
    let key = EncodingKey::from_ec_der(key);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::ES256).expect("the key is EC");
    format!("{message}.{signature}")
}

fn jwk(point: &[u8]) -> Value {
    let [x, y] = [&point[1..33], &point[33..65]].map(|part| URL_SAFE_NO_PAD.encode(part));
    json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256"})
}

/// A DER integer.
fn der_integer(bytes: &[u8]) -> Vec<u8> {
    let digits: &[u8] = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    let zero: &[u8] = if digits.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    let length = u8::try_from(zero.len() + digits.len()).expect("it is short");
    [&[2, length], zero, digits].concat()
}

/// Every attack on that token.
#[must_use]
pub fn forgeries(genuine: &Genuine) -> Vec<Forgery> {
    let mut table = algorithms(genuine);
    table.extend(signatures(genuine));
    table.extend(encodings(genuine));
    table.extend(headers(genuine));
    table.extend(key_names(genuine));
    table.extend(kinds(genuine));
    table.extend(claims(genuine));
    table
}

fn rows<const N: usize>(source: &'static str, rows: [(&'static str, &'static str, String); N]) -> Vec<Forgery> {
    rows.into_iter().map(|(attack, because, token)| Forgery { attack, source, token, because }).collect()
}

fn algorithms(genuine: &Genuine) -> Vec<Forgery> {
    let point = genuine.public_point();
    let token = genuine.token();
    let (message, signature) = token.rsplit_once('.').expect("it has three parts");
    let (_, claims) = message.split_once('.').expect("it has three parts");
    let alg = |alg: &str| genuine.with_header(&[("alg", json!(alg))]);
    let unsigned = |alg: &str, signature: &str| {
        let mut header = genuine.header();
        header["alg"] = json!(alg);
        format!("{}.{claims}.{signature}", URL_SAFE_NO_PAD.encode(header.to_string()))
    };
    let hmac = |secret: &[u8]| {
        let header =
            Header { typ: Some("at+jwt".to_owned()), kid: Some(genuine.kid.clone()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &genuine.claims, &EncodingKey::from_secret(secret)).expect("claims are JSON")
    };
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD_NO_PAD.encode(&point));
    let mut table = rows(
        "RFC 8725 §2.1, §3.1: algorithm confusion",
        [
            ("alg none without a signature", KIND, unsigned("none", "")),
            ("alg None", KIND, unsigned("None", "")),
            ("alg nOnE", KIND, unsigned("nOnE", "")),
            ("alg none with the genuine signature", KIND, unsigned("none", signature)),
            ("HS256 with the public point as its secret", KIND, hmac(&point)),
            ("HS256 with the JWK's text as its secret", KIND, hmac(jwk(&point).to_string().as_bytes())),
            ("HS256 with the key's PEM as its secret", KIND, hmac(pem.as_bytes())),
            ("HS256 with an empty secret", KIND, hmac(b"")),
            ("alg es256 in lower case", KIND, alg("es256")),
            ("alg with a space", KIND, alg("ES256 ")),
            ("no alg", KIND, genuine.without_header("alg")),
            ("an empty alg", KIND, alg("")),
            ("a list of algs", HEADER, genuine.with_header(&[("alg", json!(["ES256", "none"]))])),
        ],
    );
    table.extend(rows(
        "RFC 7520 §4.1–4.4, Wycheproof json_web_signature: another algorithm or curve",
        [
            ("alg RS256", KIND, alg("RS256")),
            ("alg PS384", KIND, alg("PS384")),
            ("alg ES384: P-384", KIND, alg("ES384")),
            ("alg ES512: P-521", KIND, alg("ES512")),
            ("alg ES256K: secp256k1", KIND, alg("ES256K")),
            ("alg EdDSA: Ed25519", KIND, alg("EdDSA")),
            ("a MAC under our kid", KIND, alg("HS256")),
        ],
    ));
    table.extend(rows(
        "RFC 7515 appendices A.3 and A.5, as they are printed",
        [
            (
                "the RFC's ES256 example",
                KIND,
                "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb\
                 290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
                    .to_owned(),
            ),
            (
                "the RFC's unsecured example",
                KIND,
                "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb2\
                 90Ijp0cnVlfQ."
                    .to_owned(),
            ),
        ],
    ));
    table
}

fn signatures(genuine: &Genuine) -> Vec<Forgery> {
    let token = genuine.token();
    let (message, signature) = token.rsplit_once('.').expect("it has three parts");
    let genuine_bytes = URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url");
    let (r, s) = genuine_bytes.split_at(32);
    let with = |signature: &[u8]| format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    let pair = |r: &[u8], s: &[u8]| with(&[r, s].concat());
    let (zero, ones) = ([0_u8; 32], [0xff_u8; 32]);
    let (mut one, mut below, mut flipped) = (zero, ORDER, genuine_bytes.clone());
    one[31] = 1;
    below[31] -= 1;
    flipped[10] ^= 1;
    let (der_r, der_s) = (der_integer(r), der_integer(s));
    let length = u8::try_from(der_r.len() + der_s.len()).expect("it is short");
    let der = [vec![0x30, length], der_r, der_s].concat();
    let stranger =
        SecretKey::from_slice(&[7; 32]).expect("it is below the order").to_pkcs8_der().expect("it has a form");
    let mut raised = genuine.claims.clone();
    raised["scope"] = json!("orders:admin clients:admin");
    let raised = URL_SAFE_NO_PAD.encode(raised.to_string());
    let head = message.split_once('.').expect("it has three parts").0;
    rows(
        "Wycheproof ecdsa_secp256r1_sha256_p1363: values, ranges, lengths, encodings",
        [
            ("r and s are zero", SIGNATURE, pair(&zero, &zero)),
            ("r is zero", SIGNATURE, pair(&zero, s)),
            ("s is zero", SIGNATURE, pair(r, &zero)),
            ("r is the order", SIGNATURE, pair(&ORDER, s)),
            ("s is the order", SIGNATURE, pair(r, &ORDER)),
            ("r and s are the order", SIGNATURE, pair(&ORDER, &ORDER)),
            ("r is above the order", SIGNATURE, pair(&ones, s)),
            ("s is above the order", SIGNATURE, pair(r, &ones)),
            ("r and s are one", SIGNATURE, pair(&one, &one)),
            ("r and s are one below the order", SIGNATURE, pair(&below, &below)),
            ("r and s change places", SIGNATURE, pair(s, r)),
            ("r twice", SIGNATURE, pair(r, r)),
            ("one bit is another", SIGNATURE, with(&flipped)),
            ("DER instead of r and s", SIGNATURE, with(&der)),
            ("a byte short", SIGNATURE, with(&genuine_bytes[..63])),
            ("half of it", SIGNATURE, with(r)),
            ("a zero more in front", SIGNATURE, with(&[&[0], genuine_bytes.as_slice()].concat())),
            ("a zero more behind", SIGNATURE, with(&[genuine_bytes.as_slice(), &[0]].concat())),
            ("as long as one of P-384", SIGNATURE, with(&[genuine_bytes.as_slice(), &[0; 32]].concat())),
            ("no signature", SIGNATURE, with(&[])),
            ("another key under our kid", SIGNATURE, sign(message, stranger.as_bytes())),
            ("scopes added under the old signature", SIGNATURE, format!("{head}.{raised}.{signature}")),
        ],
    )
}

fn encodings(genuine: &Genuine) -> Vec<Forgery> {
    let token = genuine.token();
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts[..] else { panic!("a JWS has three parts") };
    // 64 bytes are 85 characters and a third: four bits of the last one mean nothing and have to be zero.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = signature.as_bytes()[signature.len() - 1];
    let index = alphabet.iter().position(|letter| *letter == last).expect("it is base64url");
    let loose = format!("{}{}", &signature[..signature.len() - 1], char::from(alphabet[index | 1]));
    let padded = |text: &str| {
        // Two bytes less than a multiple of three, so that there is something to pad.
        let mut text = text.to_owned();
        while text.len() % 3 != 1 {
            text.insert(text.len() - 1, ' ');
        }
        URL_SAFE.encode(text)
    };
    let (header_text, claims_text) = (genuine.header().to_string(), genuine.claims.to_string());
    let mut table = rows(
        "RFC 7515 §2 and RFC 4648 §3: base64url without padding, in its one form",
        [
            ("a padded signature", INVALID, format!("{token}==")),
            ("bits that mean nothing are set", INVALID, format!("{head}.{claims}.{loose}")),
            ("a padded header", NO_JWT, genuine.signed_parts(&padded(&header_text), claims)),
            ("padded claims", INVALID, genuine.signed_parts(head, &padded(&claims_text))),
            ("a letter of the other alphabet", INVALID, format!("{head}.{claims}.{}+", &signature[..85])),
            ("a space in the signature", INVALID, format!("{head}.{claims}.{} {}", &signature[..10], &signature[10..])),
            ("a header in plain text", NO_JWT, genuine.signed_parts(&header_text.replace('.', ""), claims)),
        ],
    );
    table.extend(rows(
        "RFC 7515 §7, RFC 7516 §9: three parts, compact",
        [
            ("two parts", NO_JWT, format!("{head}.{claims}")),
            ("four parts", NO_JWT, format!("{token}.{signature}")),
            ("the five parts of a JWE", NO_JWT, format!("{head}.{claims}.{claims}.{claims}.{signature}")),
            ("a dot in front", NO_JWT, format!(".{token}")),
            ("nothing but dots", NO_JWT, "..".to_owned()),
            (
                "the JSON serialisation",
                NO_JWT,
                json!({"protected": head, "payload": claims, "signature": signature}).to_string(),
            ),
            ("a header that is no JSON", NO_JWT, genuine.signed("no json", &claims_text)),
            ("a header that is no UTF-8", NO_JWT, genuine.signed_parts("gICA", claims)),
            ("something behind the header's JSON", NO_JWT, genuine.signed(&format!("{header_text}{{}}"), &claims_text)),
            ("claims that are no JSON", INVALID, genuine.signed(&header_text, "no json")),
            ("claims that are a list", INVALID, genuine.signed(&header_text, "[]")),
            ("a token of 100,000 letters", TOO_LONG, "a".repeat(100_000)),
        ],
    ));
    table
}

fn headers(genuine: &Genuine) -> Vec<Forgery> {
    let stranger = SecretKey::from_slice(&[7; 32]).expect("it is below the order");
    let strange_jwk = jwk(stranger.public_key().to_sec1_point(false).as_bytes());
    let stranger = stranger.to_pkcs8_der().expect("it has a form").as_bytes().to_vec();
    let theirs = |member: &str, value: Value| {
        let own = Genuine { kid: genuine.kid.clone(), key: stranger.clone(), claims: genuine.claims.clone() };
        own.with_header(&[(member, value)])
    };
    let kid = &genuine.kid;
    let claims = genuine.claims.to_string();
    let raw = |header: String| genuine.signed(&header, &claims);
    let unencoded = {
        let header = json!({"typ": "at+jwt", "alg": "ES256", "kid": kid, "b64": false, "crit": ["b64"]}).to_string();
        genuine.signed_parts(&URL_SAFE_NO_PAD.encode(header), &claims.replace('.', ""))
    };
    let mut table = rows(
        "RFC 8725 §3.10, RFC 7515 §4.1: keys that the token brings along",
        [
            ("a key in the header, signed with it", HEADER, theirs("jwk", strange_jwk.clone())),
            ("our own key in the header", HEADER, genuine.with_header(&[("jwk", jwk(&genuine.public_point()))])),
            ("the URL of a key set", HEADER, theirs("jku", json!("https://evil.example/jwks.json"))),
            ("the URL of a file", HEADER, theirs("jku", json!("file:///etc/passwd"))),
            ("the URL of a certificate", HEADER, theirs("x5u", json!("https://evil.example/x509"))),
            ("a certificate", HEADER, theirs("x5c", json!(["MIIB"]))),
            ("the hash of a certificate", HEADER, theirs("x5t#S256", json!("AAAA"))),
        ],
    );
    table.extend(rows(
        "RFC 7515 §4.1.11, RFC 7797, RFC 8725 §3.7: extensions and compression",
        [
            ("a critical claim", HEADER, genuine.with_header(&[("crit", json!(["exp"]))])),
            ("an empty crit", HEADER, genuine.with_header(&[("crit", json!([]))])),
            ("an unknown critical extension", HEADER, genuine.with_header(&[("crit", json!(["x"])), ("x", json!(1))])),
            ("b64=false, critical, claims in plain text", HEADER, unencoded),
            ("b64=false, not critical", HEADER, genuine.with_header(&[("b64", json!(false))])),
            ("compressed claims", HEADER, genuine.with_header(&[("zip", json!("DEF"))])),
            ("a nested JWT", HEADER, genuine.with_header(&[("cty", json!("JWT"))])),
            ("encrypted claims", HEADER, genuine.with_header(&[("enc", json!("A128GCM"))])),
            ("a member nobody knows", HEADER, genuine.with_header(&[("surprise", json!(true))])),
        ],
    ));
    table.extend(rows(
        "RFC 7515 §4, RFC 8725 §2.4: members that are there twice",
        [
            (
                "none, then ES256",
                HEADER,
                raw(format!(r#"{{"alg":"none","typ":"at+jwt","alg":"ES256","kid":"{kid}"}}"#)),
            ),
            (
                "ES256, then none",
                HEADER,
                raw(format!(r#"{{"alg":"ES256","typ":"at+jwt","alg":"none","kid":"{kid}"}}"#)),
            ),
            ("JWT, then at+jwt", HEADER, raw(format!(r#"{{"alg":"ES256","typ":"JWT","typ":"at+jwt","kid":"{kid}"}}"#))),
            ("two kids", HEADER, raw(format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"x","kid":"{kid}"}}"#))),
            ("a header that is a text", HEADER, raw(format!(r#""{kid}""#))),
        ],
    ));
    table
}

fn key_names(genuine: &Genuine) -> Vec<Forgery> {
    let kid = |kid: &str| genuine.with_header(&[("kid", json!(kid))]);
    rows(
        "RFC 8725 §3.10: a kid is a name, not a path, a query or an address",
        [
            ("no kid", NO_KEY_NAMED, genuine.without_header("kid")),
            ("an empty kid", UNKNOWN_KEY, kid("")),
            ("another kid", UNKNOWN_KEY, kid("unknown")),
            ("our kid and a space", UNKNOWN_KEY, kid(&format!("{} ", genuine.kid))),
            ("a path", UNKNOWN_KEY, kid("../../../../dev/null")),
            ("a path to our kid", UNKNOWN_KEY, kid(&format!("./{}", genuine.kid))),
            ("SQL", UNKNOWN_KEY, kid("' OR '1'='1' --")),
            ("a shell's command", UNKNOWN_KEY, kid("$(id)|id;")),
            ("an address", UNKNOWN_KEY, kid("http://127.0.0.1:1/jwks.json")),
            ("a NUL", UNKNOWN_KEY, kid(&format!("{}\0", genuine.kid))),
            ("a kid that is a number", HEADER, genuine.with_header(&[("kid", json!(0))])),
            ("a list of kids", HEADER, genuine.with_header(&[("kid", json!([genuine.kid]))])),
        ],
    )
}

fn kinds(genuine: &Genuine) -> Vec<Forgery> {
    let typ = |typ: &str| genuine.with_header(&[("typ", json!(typ))]);
    rows(
        "RFC 8725 §3.11, RFC 9068 §4: another kind of JWT of the same issuer",
        [
            ("an ID token's typ", KIND, typ("JWT")),
            ("no typ", KIND, genuine.without_header("typ")),
            ("an empty typ", KIND, typ("")),
            ("a logout token", KIND, typ("logout+jwt")),
            ("a client's assertion", KIND, typ("client-authentication+jwt")),
            ("a DPoP proof", KIND, typ("dpop+jwt")),
            ("a security event", KIND, typ("application/secevent+jwt")),
            ("at+jwt and more", KIND, typ("at+jwt ")),
        ],
    )
}

fn claims(genuine: &Genuine) -> Vec<Forgery> {
    let iat = genuine.claims["iat"].as_i64().expect("iat is a number");
    let text = |name: &str| genuine.claims[name].as_str().expect("it is a text").to_owned();
    let (issuer, audience) = (text("iss"), text("aud"));
    let with = |name: &str, value: Value| genuine.with_claim(name, value);
    let twice = genuine.claims.to_string().replacen('{', r#"{"sub":"usr_01h455vb4pex5vsknk084sn02q","#, 1);
    let mut table = rows(
        "RFC 8725 §3.8–3.9, RFC 9068 §4: who issued it, and for whom",
        [
            ("another issuer", ISSUER, with("iss", json!("https://evil.example"))),
            ("the issuer with a slash", ISSUER, with("iss", json!(format!("{issuer}/")))),
            ("the issuer in upper case", ISSUER, with("iss", json!(issuer.to_uppercase()))),
            ("a path below the issuer", ISSUER, with("iss", json!(format!("{issuer}/evil")))),
            ("our issuer among others", INVALID, with("iss", json!([issuer, "https://evil.example"]))),
            ("no issuer", INVALID, with("iss", Value::Null)),
            ("another audience", AUDIENCE, with("aud", json!("other"))),
            ("an audience like ours", AUDIENCE, with("aud", json!(format!("{audience} other")))),
            ("our audience among others", INVALID, with("aud", json!([audience, "other"]))),
            ("no audience in a list", INVALID, with("aud", json!([]))),
            ("no audience", INVALID, with("aud", Value::Null)),
            ("no subject", INVALID, with("sub", Value::Null)),
            ("a subject that is a number", INVALID, with("sub", json!(1))),
            ("two subjects", INVALID, genuine.signed(&genuine.header().to_string(), &twice)),
            ("no client", INVALID, with("client_id", Value::Null)),
            ("no id", INVALID, with("jti", Value::Null)),
            ("a role that nobody has", INVALID, with("role", json!("superuser"))),
            ("a scope that is a list", INVALID, with("scope", json!(["orders:admin"]))),
        ],
    );
    table.extend(rows(
        "RFC 7519 §4.1.4–4.1.6: when it is good",
        [
            ("expired a minute ago", EXPIRED, with("exp", json!(iat - 60))),
            ("expired at the beginning of time", EXPIRED, with("exp", json!(0))),
            ("no expiry", INVALID, with("exp", Value::Null)),
            ("an expiry that is a text", INVALID, with("exp", json!("9999999999"))),
            ("an expiry with a fraction", INVALID, with("exp", json!(9_999_999_999.5))),
            ("an expiry before time", INVALID, with("exp", json!(-1))),
            ("an expiry past all numbers", INVALID, with("exp", json!(u64::MAX))),
            ("good from in an hour on", EARLY, with("nbf", json!(iat + 3600))),
            ("good from some text on", INVALID, with("nbf", json!("now"))),
            ("issued in an hour", EARLY, with("iat", json!(iat + 3600))),
            ("no time of issue", INVALID, with("iat", Value::Null)),
            ("a time of issue that is a text", INVALID, with("iat", json!("now"))),
        ],
    ));
    table
}
