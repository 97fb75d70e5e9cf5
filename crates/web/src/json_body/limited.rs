//! Reading a body up to its limit. A body that is too large is drained for a while before it is refused: a client
//! that still writes would otherwise see a broken connection instead of the answer.

use crate::Problem;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::header;
use http_body_util::BodyExt as _;

/// The most that a body may have: 1 MiB.
pub const LARGEST_BODY: usize = 1024 * 1024;

/// After this much of a body that is too large, the connection is given up.
const DRAINED: usize = 16 * 1024 * 1024;

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
/// 413 when there is more, 400 when the body breaks off.
pub async fn read_limited(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let mut collected = BytesMut::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::malformed_json("the body broke off before its end"))?;
        let Ok(data) = frame.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen <= limit {
            collected.extend_from_slice(&data);
        } else if seen > DRAINED.max(limit) {
            return Err(too_large(limit).with_header(header::CONNECTION, "close"));
        } else {
            collected.clear();
        }
    }
    if seen > limit { Err(too_large(limit)) } else { Ok(collected.freeze()) }
}

fn too_large(limit: usize) -> Problem {
    Problem::body_too_large(format!("the body is larger than {limit} bytes"))
}
