//! `sslmode` means what it means to libpq. The server is a small one of our own that speaks TLS in front of the real one.

use crate::mirror::Mirror;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use testkit::Run;

/// What the server answers to "do you speak TLS?".
#[derive(Clone)]
enum Answer {
    Yes(Arc<ServerConfig>),
    No,
}

struct Front {
    port: u16,
    /// Sessions that were encrypted.
    encrypted: Arc<AtomicU32>,
}

impl Front {
    /// Listens on loopback, and passes every session on to the socket of the real server.
    fn start(answer: Answer, socket: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let encrypted = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&encrypted);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, socket, count) = (answer.clone(), socket.clone(), Arc::clone(&count));
                // A client that does not trust us leaves in the middle.
                std::thread::spawn(move || drop(serve(stream.unwrap(), &answer, &socket, &count)));
            }
        });
        Self { port, encrypted }
    }
}

fn serve(mut client: TcpStream, answer: &Answer, socket: &str, count: &AtomicU32) -> std::io::Result<()> {
    let server = UnixStream::connect(socket)?;
    let mut request = [0; 8];
    client.peek(&mut request)?;
    let asks = request == [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let mut tls = None;
    if asks {
        client.read_exact(&mut request)?;
        if let Answer::Yes(config) = answer {
            client.write_all(b"S")?;
            let mut session = ServerConnection::new(Arc::clone(config)).unwrap();
            session.complete_io(&mut client)?;
            count.fetch_add(1, Ordering::SeqCst);
            tls = Some(session);
        } else {
            client.write_all(b"N")?;
        }
    }
    pass(client, tls, server)
}

/// Carries bytes both ways until one side ends.
fn pass(
    mut client: TcpStream,
    mut tls: Option<ServerConnection>,
    mut server: UnixStream,
) -> std::io::Result<()> {
    client.set_nonblocking(true)?;
    server.set_nonblocking(true)?;
    let mut buffer = [0; 1 << 14];
    loop {
        let up = match &mut tls {
            Some(session) => rustls::Stream::new(session, &mut client).read(&mut buffer),
            None => client.read(&mut buffer),
        };
        match up {
            Ok(0) => return Ok(()),
            Ok(count) => server.write_all(&buffer[..count])?,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        match server.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => match &mut tls {
                Some(session) => rustls::Stream::new(session, &mut client).write_all(&buffer[..count])?,
                None => client.write_all(&buffer[..count])?,
            },
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(1))
            }
            Err(error) => return Err(error),
        }
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
    let output = output.expect("this test needs the openssl command; apt-get install openssl brings it");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Makes `NAME.crt`, a root, and below it a certificate of `host`.
fn certificates(folder: &Path, name: &str, host: &str) -> Answer {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder, &format!("req -x509 {key} -days 2 -subj /CN={name} -keyout {name}.key -out {name}.crt"));
    openssl(folder, &format!("req {key} -subj /CN={host} -keyout {host}.key -out {host}.csr"));
    std::fs::write(folder.join("names"), format!("subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n"))
        .unwrap();
    let sign = format!("-CA {name}.crt -CAkey {name}.key -CAcreateserial -extfile names");
    openssl(folder, &format!("x509 -req -days 2 -in {host}.csr {sign} -out {host}.crt"));
    let certificate = CertificateDer::from_pem_file(folder.join(format!("{host}.crt"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join(format!("{host}.key"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Answer::Yes(Arc::new(builder.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()))
}

/// Asks for a watermark through a front, with these parameters of the connection.
fn ask(mirror: &mut Mirror, front: &Front, parameters: &str) -> Run {
    let (user, name) = (mirror.value("SELECT current_user"), mirror.value("SELECT current_database()"));
    let url = format!("postgres://{user}:unused@localhost:{}/{name}?{parameters}", front.port);
    mirror.workdir.set("DATABASE_URL", &url);
    mirror.workdir.run("load-table", &["users", "--watermark"])
}

/// The socket of the server that the tests use.
fn socket(mirror: &Mirror) -> String {
    let folder = mirror.value("SELECT split_part(current_setting('unix_socket_directories'), ',', 1)");
    let port = mirror.value("SELECT current_setting('port')");
    format!("{folder}/.s.PGSQL.{port}")
}

#[test]
fn verify_full_wants_the_right_root_and_the_right_name() {
    let mut mirror = Mirror::new();
    let folder = mirror.workdir.path("");
    let right = Front::start(certificates(&folder, "right", "localhost"), socket(&mirror));
    let _wrong_root = certificates(&folder, "wrong", "unused.example");
    let named = Front::start(certificates(&folder, "named", "other.example"), socket(&mirror));
    let root = |name: &str| format!("sslrootcert={}", folder.join(name).display());
    let (right_root, wrong_root, named_root) = (root("right.crt"), root("wrong.crt"), root("named.crt"));
    let distrust = ["cannot be trusted", "certificate", "sslrootcert"];
    let _ok = ask(&mut mirror, &right, &format!("sslmode=verify-full&{right_root}")).expect(0);
    let _wrong = ask(&mut mirror, &right, &format!("sslmode=verify-full&{wrong_root}"))
        .expect(69)
        .complains(&distrust);
    let _none = ask(&mut mirror, &right, "sslmode=verify-full").expect(69).complains(&distrust);
    let _name = ask(&mut mirror, &named, &format!("sslmode=verify-full&{named_root}"))
        .expect(69)
        .complains(&distrust);
    let _chain = ask(&mut mirror, &named, &format!("sslmode=verify-ca&{named_root}")).expect(0);
    let _chain = ask(&mut mirror, &named, &format!("sslmode=verify-ca&{wrong_root}")).expect(69);
    let missing = ask(&mut mirror, &right, &format!("sslmode=verify-full&{}", root("missing.crt")));
    let _missing = missing.expect(78).complains(&["missing.crt"]);
    mirror.workdir.set("PGSSLROOTCERT", &folder.join("wrong.crt").display().to_string());
    let _from_environment = ask(&mut mirror, &right, "sslmode=verify-full").expect(69);
}

#[test]
fn require_encrypts_without_trust_and_prefer_tries_tls_first() {
    let mut mirror = Mirror::new();
    let folder = mirror.workdir.path("");
    let front = Front::start(certificates(&folder, "any", "localhost"), socket(&mirror));
    for (parameters, encrypted) in
        [("sslmode=require", 1), ("sslmode=prefer", 2), ("", 3), ("sslmode=disable", 3)]
    {
        let _ok = ask(&mut mirror, &front, parameters).expect(0);
        assert_eq!(front.encrypted.load(Ordering::SeqCst), encrypted, "sslmode {parameters}");
    }
    let plain = Front::start(Answer::No, socket(&mirror));
    let _falls_back = ask(&mut mirror, &plain, "sslmode=prefer").expect(0);
    let _insists = ask(&mut mirror, &plain, "sslmode=require")
        .expect(69)
        .complains(&["does not support TLS", "sslmode=disable"]);
}
