//! A client for load: HTTP/1.1 over one connection that is kept, requests that are bytes already, and no more of the
//! answer looked at than its status and its body. It must cost little beside the system that it measures.

use crate::error::BenchError;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HEAD_END: &[u8] = b"\r\n\r\n";
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// A connection with at most one request under way.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    pub(crate) fn json(&self) -> Result<serde_json::Value, BenchError> {
        serde_json::from_slice(self.body).map_err(|error| self.unexpected(&error.to_string()))
    }

    /// The answer was not what had to come.
    pub(crate) fn unexpected(&self, why: &str) -> BenchError {
        let body = String::from_utf8_lossy(self.body);
        BenchError::Unexpected(format!("the system answered {}: {body} ({why})", self.status))
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address).await.map_err(BenchError::Http)?;
        stream.set_nodelay(true).map_err(BenchError::Http)?;
        Ok(Self { stream, received: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Answer<'_>, BenchError> {
        self.exchange(request).await.map_err(BenchError::Http)
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, Error> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let head = loop {
            if let Some(at) = self.received.windows(HEAD_END.len()).position(|window| window == HEAD_END) {
                break at + HEAD_END.len();
            }
            self.more().await?;
        };
        let (status, length) = read_head(&self.received[..head])?;
        while self.received.len() < head + length {
            self.more().await?;
        }
        Ok(Answer { status, body: &self.received[head..head + length] })
    }

    async fn more(&mut self) -> Result<(), Error> {
        if self.received.len() > LARGEST_ANSWER {
            return Err(Error::new(ErrorKind::InvalidData, "the answer is too large"));
        }
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Status and length of the body.
fn read_head(head: &[u8]) -> Result<(u16, usize), Error> {
    let invalid = |what| Error::new(ErrorKind::InvalidData, what);
    let head = std::str::from_utf8(head).map_err(|_| invalid("the head of an answer is no text"))?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok());
    Ok((
        status.ok_or_else(|| invalid("the answer has no status"))?,
        length.ok_or_else(|| invalid("the answer does not say how long it is"))?,
    ))
}

/// A request with a JSON body, as bytes.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         {headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_its_status_and_length() {
        let head = b"HTTP/1.1 201 Created\r\nETag: \"1\"\r\nContent-Length: 12\r\n\r\n";
        assert_eq!(read_head(head).unwrap(), (201, 12));
        assert!(read_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn a_request_says_how_long_it_is() {
        let request = String::from_utf8(request("POST", "/x", &[("a", "b")], "{}")).unwrap();
        assert!(request.starts_with("POST /x HTTP/1.1\r\n") && request.ends_with("a: b\r\n\r\n{}"));
        assert!(request.contains("content-length: 2\r\n"));
    }
}
