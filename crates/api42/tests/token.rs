//! The token: asked for once by all, kept private, renewed once, and refused with a sentence that helps.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod scripted;

use api42::Renewal;
use scripted::{Reply, Server};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;
use verdict::Verdict;

fn token_file(state: &tempfile::TempDir) -> PathBuf {
    let mut files = fs::read_dir(state.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_token =
        |path: &PathBuf| path.to_str().unwrap().contains("/token-") && path.extension().unwrap() == "json";
    files.find(is_token).unwrap()
}

#[test]
fn two_clients_and_many_threads_ask_for_one_token() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|_| Reply::json(200, "[]"));
    let clients = [server.client(state.path()), server.client(state.path())];
    thread::scope(|scope| {
        for client in clients.iter().cycle().take(8) {
            scope.spawn(|| client.get("/v2/cursus", &[]).unwrap());
        }
    });
    assert_eq!(server.token_calls().len(), 1);
    assert_eq!(clients[0].tally().token_calls + clients[1].tally().token_calls, 1);
    assert_eq!(server.reads().len(), 8);
    let form = &server.token_calls()[0].body;
    assert_eq!(form, "grant_type=client_credentials&client_id=u-s4t2ud-test&client_secret=s-MARK");
    assert!(server.reads().iter().all(|seen| seen.headers["authorization"] == "Bearer token-1"));
    assert!(server.reads().iter().all(|seen| seen.headers["user-agent"].starts_with("mirror42/")));
}

#[test]
fn the_token_is_kept_where_only_its_owner_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let state = tempfile::TempDir::new_in(folder.path()).unwrap();
    let server = Server::start(|_| Reply::json(200, "[]"));
    server.client(state.path()).get("/v2/cursus", &[]).unwrap();
    for entry in fs::read_dir(state.path()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().mode() & 0o777, 0o600);
    }
    let kept = fs::read_to_string(token_file(&state)).unwrap();
    assert!(kept.contains("token-1") && !kept.contains("s-MARK"));
}

#[test]
fn a_token_file_that_others_can_read_is_replaced() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::with_token(
        |seen| Reply::token(&format!("token-{}", seen.number)),
        |_| Reply::json(200, "[]"),
    );
    server.client(state.path()).get("/v2/cursus", &[]).unwrap();
    fs::set_permissions(token_file(&state), fs::Permissions::from_mode(0o644)).unwrap();
    server.client(state.path()).get("/v2/cursus", &[]).unwrap();
    assert_eq!(server.token_calls().len(), 2);
    assert_eq!(fs::metadata(token_file(&state)).unwrap().mode() & 0o777, 0o600);
    assert_eq!(server.reads()[1].headers["authorization"], "Bearer token-2");
}

#[test]
fn a_damaged_token_file_is_replaced() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|_| Reply::json(200, "[]"));
    server.client(state.path()).get("/v2/cursus", &[]).unwrap();
    fs::write(token_file(&state), "$(touch x)").unwrap();
    server.client(state.path()).get("/v2/cursus", &[]).unwrap();
    assert_eq!(server.token_calls().len(), 2);
}

#[test]
fn a_token_that_ends_is_renewed_once_for_all() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::with_token(
        |seen| Reply::token(&format!("token-{}", seen.number)),
        |seen| match seen.headers["authorization"].as_str() {
            "Bearer token-2" => Reply::json(200, "[]"),
            _ => Reply::invalid_token(),
        },
    );
    let clients = [server.client(state.path()), server.client(state.path())];
    thread::scope(|scope| {
        for client in clients.iter().cycle().take(6) {
            scope.spawn(|| client.get("/v2/cursus", &[]).unwrap());
        }
    });
    assert_eq!(server.token_calls().len(), 2);
}

#[test]
fn a_token_that_is_refused_when_new_is_a_matter_of_credentials() {
    let state = tempfile::tempdir().unwrap();
    // The same token is handed out again, as the real endpoint does.
    let server = Server::start(|_| Reply::invalid_token());
    let error = server.client(state.path()).get("/v2/cursus", &[]).unwrap_err();
    assert_eq!(Verdict::of(&error), Verdict::Credentials);
    assert_eq!((server.token_calls().len(), server.reads().len()), (2, 2));
    let message = format!("{error:#}");
    assert!(message.starts_with("GET /v2/cursus: 401: ") && !message.contains("MARK"), "{message}");
}

#[test]
fn a_refused_secret_ends_with_77_and_says_where_to_renew_it() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::with_token(|_| Reply::invalid_client(), |_| Reply::json(200, "[]"));
    let error = server.client(state.path()).get("/v2/cursus", &[]).unwrap_err();
    assert_eq!(Verdict::of(&error).code(), 77);
    let message = format!("{error:#}");
    assert!(message.contains("has probably expired") && message.contains("CLIENT_SECRET"), "{message}");
    assert!(!message.contains("MARK"), "{message}");
    assert_eq!((server.token_calls().len(), server.reads().len()), (1, 0), "a refusal is not tried again");
}

#[test]
fn the_next_secret_takes_over() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::with_token(
        |seen| if seen.body.contains("s-NEXT") { Reply::token("token-1") } else { Reply::invalid_client() },
        |_| Reply::json(200, "[]"),
    );
    let mut settings = server.settings(state.path());
    settings.next_secret = Some("s-NEXT".to_owned().into());
    api42::Client::new(settings).unwrap().get("/v2/cursus", &[]).unwrap();
    assert_eq!(server.token_calls().len(), 2);
}

#[test]
fn a_token_endpoint_that_stumbles_is_asked_again() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::with_token(
        |seen| if seen.number == 1 { Reply::html(502) } else { Reply::token("token-1") },
        |_| Reply::json(200, "[]"),
    );
    let client = server.client(state.path());
    client.get("/v2/cursus", &[]).unwrap();
    assert_eq!((client.tally().token_calls, client.tally().calls), (2, 1));
}

#[test]
fn a_page_instead_of_a_token_is_out_of_reach_and_is_not_quoted() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::with_token(
        |_| Reply::new(200, "<html>MARK</html>").header("Content-Type", "application/json"),
        |_| Reply::json(200, "[]"),
    );
    let error = server.client(state.path()).ensure_token(Duration::from_secs(3600)).unwrap_err();
    assert_eq!(Verdict::of(&error), Verdict::Unreachable);
    assert!(!format!("{error:#}").contains("MARK"), "{error:#}");
}

#[test]
fn a_token_that_ends_again_and_again_is_renewed_again_and_again() {
    let state = tempfile::tempdir().unwrap();
    // Each token opens one call, and the one after the next: whoever waited for its slot may come too late.
    let opened = std::sync::Mutex::new(std::collections::HashMap::<String, usize>::new());
    let server = Server::with_token(
        |seen| Reply::token(&format!("token-{}", seen.number)),
        move |seen| {
            let mut opened = opened.lock().unwrap();
            let calls = opened.entry(seen.headers["authorization"].clone()).or_default();
            *calls += 1;
            if *calls > 1 { Reply::invalid_token() } else { Reply::json(200, "[]") }
        },
    );
    let client = server.client(state.path());
    for _ in 0..6 {
        client.get("/v2/cursus", &[]).unwrap();
    }
    assert_eq!((server.token_calls().len(), server.reads().len()), (6, 11));
}

#[test]
fn another_refusal_of_a_token_is_no_matter_of_the_secret() {
    let state = tempfile::tempdir().unwrap();
    let refusal = r#"{"error":"invalid_scope","error_description":"The requested scope is invalid"}"#;
    let server = Server::with_token(move |_| Reply::json(401, refusal), |_| Reply::json(200, "[]"));
    let error = server.client(state.path()).renew_token().unwrap_err();
    assert_eq!(Verdict::of(&error), Verdict::Failed);
    assert!(format!("{error:#}").contains("invalid_scope"), "{error:#}");
}

#[test]
fn the_end_of_the_secret_is_known_after_a_renewal_that_does_not_say_it() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::with_token(
        |seen| {
            let end = if seen.number == 1 { r#","secret_valid_until":1000000000"# } else { "" };
            let body = format!(r#"{{"access_token":"token-{}","expires_in":7200{end}}}"#, seen.number);
            Reply::json(200, &body)
        },
        |_| Reply::json(200, "[]"),
    );
    let client = server.client(state.path());
    assert_eq!(client.ensure_token(Duration::from_secs(60)).unwrap().1, Renewal::New);
    assert_eq!(client.ensure_token(Duration::from_secs(60)).unwrap().1, Renewal::Unneeded);
    let (renewed, renewal) = client.renew_token().unwrap();
    assert_eq!(renewal, Renewal::New);
    assert_eq!(renewed.secret_valid_until.unwrap().timestamp(), 1_000_000_000);
    assert!(renewed.secret_warning().unwrap().contains("ended on 2001-09-09"));
}
