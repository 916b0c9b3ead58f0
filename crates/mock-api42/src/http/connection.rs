//! A thread for each connection, a timeout on each wait.

use super::request::{Broken, Requests};
use super::response;
use crate::admin::{self, Administered};
use crate::api;
use crate::app::App;
use crate::reply::{Reply, Wire};
use anyhow::Context;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// How long a client may be silent, and how long it may take to read.
const PATIENCE: Duration = Duration::from_secs(30);

/// Accepts connections for as long as the process lives.
pub(crate) fn serve(app: &Arc<App>, listener: &TcpListener) -> anyhow::Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                let app = Arc::clone(app);
                let name = "connection".to_owned();
                std::thread::Builder::new()
                    .name(name)
                    .spawn(move || {
                        if let Err(error) = converse(&app, stream) {
                            log::debug!("a connection ended: {error}");
                        }
                    })
                    .context("no thread for a connection")?;
            }
            // The client gave up before it was accepted, or there are too many open files: neither is the end.
            Err(error) => {
                log::warn!("a connection could not be accepted: {error}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// Answers the requests of a connection until one side has had enough.
fn converse(app: &App, mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut requests = Requests::of(stream.try_clone()?);
    loop {
        let request = match requests.next() {
            Ok(request) => request,
            Err(Broken::Gone) => return Ok(()),
            Err(Broken::Status(status)) => return refuse(&mut stream, status),
        };
        let keep = if request.path.starts_with("/_mock/") {
            match admin::answer(app, &request) {
                Administered::Whole(reply) => response::write(
                    &mut stream,
                    &reply,
                    &request,
                    crate::choices::Transfer::Length,
                    app.now(),
                )?,
                Administered::Rows(pieces) => {
                    response::stream(&mut stream, pieces)?;
                    request.keep_alive
                }
            }
        } else {
            let (reply, _in_flight) = api::answer(app, &request);
            if reply.wire == Wire::Hang {
                return wait_until_gone(&mut stream);
            }
            response::write(&mut stream, &reply, &request, app.switches().transfer, app.now())?
        };
        if !keep {
            return stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

fn refuse(stream: &mut TcpStream, status: u16) -> io::Result<()> {
    let reply = Reply::html(status);
    write!(
        stream,
        "HTTP/1.1 {status} Refused\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        reply.body.len()
    )?;
    stream.write_all(&reply.body)
}

/// Says nothing for as long as the client listens.
fn wait_until_gone(stream: &mut TcpStream) -> io::Result<()> {
    let mut bytes = [0; 1024];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
}
