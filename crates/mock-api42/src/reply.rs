//! Answers before they go over the wire.

use crate::json::Json;
use std::time::Duration;

pub(crate) const JSON: &str = "application/json; charset=utf-8";
pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const TEXT: &str = "text/plain";

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) wire: Wire,
    /// A fault has spoilt it: it is sent as it is, never as a 304.
    pub(crate) spoilt: bool,
}

/// What happens to the bytes of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wire {
    #[default]
    Whole,
    /// As many bytes are announced as there are, but fewer are sent, and the connection closes.
    Cut,
    /// The compressed body is cut, and announced at the length it was cut to.
    CutCompressed,
    /// One byte at a time.
    Drip(Duration),
    /// Nothing, until the client leaves.
    Hang,
    /// Nothing, and the connection closes.
    Reset,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Self { status, headers, body: body.into(), wire: Wire::Whole, spoilt: false }
    }

    /// Without a body, and so without its type.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), wire: Wire::Whole, spoilt: false }
    }

    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, JSON, body)
    }

    /// What 42 answers for whatever is not there, or not for this application.
    pub(crate) fn not_found() -> Self {
        Self::json(404, "{}")
    }

    /// The error page of the proxy.
    pub(crate) fn html(status: u16) -> Self {
        let page = format!(
            "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1></center>\r\n\
             <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
            reason = reason(status)
        );
        Self::new(status, HTML, page)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A request that is refused with a reason: `{"error":"Filter Error","message":"..."}`.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    error: &'static str,
    message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, error: &'static str, message: &str) -> Self {
        Self { status, error, message: message.to_owned() }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let mut json = Json::default();
        json.object(|json| {
            json.text("error", refusal.error);
            json.text("message", &refusal.message);
        });
        Self::json(refusal.status, json.into_bytes())
    }
}

pub(crate) const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        411 => "Length Required",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        _ => "Unknown",
    }
}
