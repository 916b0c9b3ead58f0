//! Connections: so many at a time, none for longer than it has something to say, and their end.

use crate::app::App;
use crate::{LAST_ANSWERS, routes};
use anyhow::{Context, Result};
use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

/// Connections at a time; as many again are told that there are too many.
const MOST: usize = 64;

/// How long a head may take, and how long a connection may be idle.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may read nothing of an answer.
const READER_PATIENCE: Duration = Duration::from_secs(10);

/// Longest head of a request, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// How long who is one too many may take to read that.
const FAREWELL: Duration = Duration::from_secs(2);

const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\
    Retry-After: 1\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{\"error\":\"Too many connections\"}\n";

/// The two ends of a request's connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) local: SocketAddr,
    pub(crate) peer: SocketAddr,
}

/// Answers until the end is asked for, and then what was asked before.
pub(crate) async fn serve(
    app: &Arc<App>,
    listener: std::net::TcpListener,
    mut end: oneshot::Receiver<()>,
) -> Result<()> {
    let listener = TcpListener::from_std(listener).context("the socket")?;
    let router = routes::router(app);
    let (seats, doors) = (Arc::new(Semaphore::new(MOST)), Arc::new(Semaphore::new(MOST)));
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut end => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
                    tokio::spawn(converse(router.clone(), stream, peer, connections.watcher(), seat));
                } else if let Ok(door) = Arc::clone(&doors).try_acquire_owned() {
                    app.counts.add(crate::counts::NO_ROUTE, 503);
                    tokio::spawn(turn_away(stream, door));
                }
            }
            // The client gave up before it was accepted, or there are too many open files: neither is the end.
            Err(error) => {
                log::warn!("a connection could not be accepted: {error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    // Who still reads after that is left alone.
    drop(timeout(LAST_ANSWERS, connections.shutdown()).await);
    Ok(())
}

/// Answers the requests of a connection until one side has had enough.
async fn converse(
    router: Router,
    stream: TcpStream,
    peer: SocketAddr,
    watcher: Watcher,
    seat: OwnedSemaphorePermit,
) {
    let _seat = seat;
    let Ok(local) = stream.local_addr() else { return };
    let ends = Ends { local, peer };
    stream.set_nodelay(true).unwrap_or_default();
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(READER_PATIENCE));
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ends);
        router.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(LONGEST_HEAD);
    let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
    if let Err(error) = watcher.watch(connection).await {
        log::debug!("a connection of {peer} ended: {error}");
    }
}

/// Says that there are too many, and waits until that is read: what is closed with something unread is torn down.
async fn turn_away(mut stream: TcpStream, door: OwnedSemaphorePermit) {
    let _door = door;
    let farewell = async {
        stream.write_all(TOO_MANY).await?;
        stream.shutdown().await?;
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    drop(timeout(FAREWELL, farewell).await);
}
