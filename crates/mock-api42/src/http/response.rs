//! Answers, sealed with the headers that the API sends and written, or miswritten, byte by byte.

use super::Request;
use crate::choices::Transfer;
use crate::moment;
use crate::reply::{Reply, Wire, reason};
use crate::switches::Switches;
use anyhow::Context;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What the API answers to `[]`, wherever it comes from.
const ETAG_OF_NOTHING: &str = "W/\"4f53cda18c2baa0c0354bb5f9a3ecbe5\"";

/// Gives an answer of the API its validator, its compression and its usual headers.
pub(crate) fn seal(
    mut reply: Reply,
    request: &Request,
    switches: &Switches,
    number: u64,
) -> anyhow::Result<Reply> {
    if reply.status == 200 && request.method != "POST" {
        let etag = etag(&reply.body);
        let known =
            request.header("if-none-match").is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag));
        reply = reply.with("ETag", etag);
        if known && !reply.spoilt {
            reply.status = 304;
            reply.body.clear();
            reply.headers.retain(|(name, _)| *name != "Content-Type");
        }
    }
    let accepted = request
        .header("accept-encoding")
        .is_some_and(|encodings| encodings.to_ascii_lowercase().contains("gzip"));
    if accepted && switches.gzip.is_on() && !reply.body.is_empty() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&reply.body).context("compressing an answer")?;
        reply.body = encoder.finish().context("compressing an answer")?;
        reply = reply.with("Content-Encoding", "gzip");
        if reply.wire == Wire::CutCompressed {
            reply.body.truncate(reply.body.len() * 2 / 3);
            reply.wire = Wire::Whole;
        }
    } else if reply.wire == Wire::CutCompressed {
        reply.wire = Wire::Cut;
    }
    let identity = format!("{:032x}", u128::from(number) * 0x9e37_79b9_7f4a_7c15_f39c_c060);
    Ok(reply
        .with("Cache-Control", "max-age=0, private, must-revalidate")
        .with("Vary", "Origin, Accept-Encoding")
        .with("X-Request-Id", identity)
        .with("X-Application-Id", "4242")
        .with("X-Application-Name", "mirror")
        .with("X-Application-Roles", "None")
        .with("X-Fast", "false")
        .with("Strict-Transport-Security", "max-age=63072000; includeSubDomains"))
}

fn etag(body: &[u8]) -> String {
    if body == b"[]" {
        return ETAG_OF_NOTHING.to_owned();
    }
    let digits: String = Sha256::digest(body).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("W/\"{digits}\"")
}

/// Writes an answer the way its wire is; says whether the connection is still good.
pub(crate) fn write(
    stream: &mut TcpStream,
    reply: &Reply,
    request: &Request,
    transfer: Transfer,
    now: i64,
) -> io::Result<bool> {
    if reply.wire == Wire::Reset {
        return Ok(false);
    }
    let bare = request.method == "HEAD" || matches!(reply.status, 204 | 304);
    let chunked = transfer == Transfer::Chunked && !bare;
    let mut out = head(reply, request, now, chunked, bare);
    let sent = if bare { &[][..] } else { &reply.body[..] };
    let sent = if reply.wire == Wire::Cut { &sent[..sent.len() * 3 / 5] } else { sent };
    if let Wire::Drip(pause) = reply.wire {
        stream.write_all(&out)?;
        return drip(stream, sent, pause, chunked).map(|()| request.keep_alive);
    }
    if chunked {
        for piece in sent.chunks(16 * 1024) {
            out.extend_from_slice(&chunk(piece));
        }
        if reply.wire != Wire::Cut {
            out.extend_from_slice(b"0\r\n\r\n");
        }
    } else {
        out.extend_from_slice(sent);
    }
    stream.write_all(&out)?;
    stream.flush()?;
    Ok(request.keep_alive && reply.wire == Wire::Whole)
}

fn head(reply: &Reply, request: &Request, now: i64, chunked: bool, bare: bool) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status));
    let keep = request.keep_alive && reply.wire != Wire::Cut;
    head.push_str(&format!("Server: nginx\r\nDate: {}\r\n", moment::http_date(now)));
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if chunked {
        head.push_str("Transfer-Encoding: chunked\r\n");
    } else if !bare {
        head.push_str(&format!("Content-Length: {}\r\n", reply.body.len()));
    }
    head.push_str(if keep { "Connection: keep-alive\r\n\r\n" } else { "Connection: close\r\n\r\n" });
    head.into_bytes()
}

fn drip(stream: &mut TcpStream, body: &[u8], pause: Duration, chunked: bool) -> io::Result<()> {
    for byte in body {
        std::thread::sleep(pause);
        if chunked { stream.write_all(&chunk(&[*byte]))? } else { stream.write_all(&[*byte])? }
    }
    if chunked { stream.write_all(b"0\r\n\r\n") } else { Ok(()) }
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// Writes an answer whose end is not known yet, piece by piece. The connection closes behind it when it breaks off.
pub(crate) fn stream(stream: &mut TcpStream, pieces: impl Iterator<Item = Vec<u8>>) -> io::Result<()> {
    stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n",
    )?;
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        stream.write_all(&chunk(&piece))?;
    }
    stream.write_all(b"0\r\n\r\n")?;
    stream.flush()
}
