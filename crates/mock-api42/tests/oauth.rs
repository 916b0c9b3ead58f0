//! Tokens as clients get them, in five ways, and the refusals they have to tell apart.

#![allow(clippy::unwrap_used)]

mod mock;

use mock::Mock;
use serde_json::Value;

const ID: &str = "u-s4t2ud-mock";
const SECRET: &str = "s-s4t2ud-mock";

fn form(grant: &str) -> String {
    format!("grant_type={grant}&client_id={ID}&client_secret={SECRET}")
}

fn is_token(body: &Value) -> bool {
    body["access_token"].as_str().is_some_and(|token| token.len() == 64) && body["token_type"] == "Bearer"
}

#[test]
fn credentials_come_in_five_encodings() {
    let mock = Mock::start(&[]);
    let json =
        format!(r#"{{"grant_type":"client_credentials","client_id":"{ID}","client_secret":"{SECRET}"}}"#);
    let part = |name: &str, value: &str| {
        format!("--b42\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let multipart = part("grant_type", "client_credentials")
        + &part("client_id", ID)
        + &part("client_secret", SECRET)
        + "--b42--\r\n";
    // base64 of "u-s4t2ud-mock:s-s4t2ud-mock"
    let basic = "Basic dS1zNHQydWQtbW9jazpzLXM0dDJ1ZC1tb2Nr";
    let post = |path: &str, kind: &str, authorization: &str, body: &str| {
        let request = mock.agent.post(format!("{}{path}", mock.url)).header("Content-Type", kind);
        let mut answer = request.header("Authorization", authorization).send(body).unwrap();
        let body: Value = answer.body_mut().read_json().unwrap();
        assert!(is_token(&body), "{path} {kind} {authorization}: {body}");
    };
    let encoded = "application/x-www-form-urlencoded";
    let query = format!("/oauth/token?{}", form("client_credentials"));
    post("/oauth/token", encoded, "Bearer token_dummy", &form("client_credentials"));
    post("/v2/oauth/token", encoded, "Bearer token_dummy", &form("client_credentials"));
    post(&query, encoded, "Bearer token_dummy", "");
    post("/oauth/token", "application/json", "Bearer token_dummy", &json);
    post("/oauth/token", "multipart/form-data; boundary=b42", "Bearer token_dummy", &multipart);
    post("/oauth/token", encoded, basic, "grant_type=client_credentials");
    assert_eq!(mock.stats()["token_calls"], 7);
}

#[test]
fn a_token_is_handed_out_again_until_it_expires() {
    let mock = Mock::start(&["--token-lifetime", "100"]);
    let first = mock.post_form("/oauth/token", &form("client_credentials")).json();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let second = mock.post_form("/oauth/token", &form("client_credentials")).json();
    assert_eq!(first["access_token"], second["access_token"]);
    assert_eq!(first["created_at"], second["created_at"]);
    assert!(second["expires_in"].as_i64() < first["expires_in"].as_i64());
    assert_eq!(first["secret_valid_until"], Value::Null);
    mock.post_json("/_mock/expire-tokens", "");
    let answer = mock.get("/v2/cursus");
    assert_eq!(answer.status, 401);
    let expired =
        r#"Bearer realm="42 API", error="invalid_token", error_description="The access token expired""#;
    assert_eq!(answer.header("www-authenticate"), Some(expired));
    let third = mock.post_form("/oauth/token", &form("client_credentials")).json();
    assert_ne!(third["access_token"], first["access_token"]);
}

#[test]
fn a_token_may_come_in_the_query_and_tells_about_itself() {
    let mock = Mock::start(&[]);
    let token = mock.fresh_token();
    let anonymous = [("Authorization", "none")];
    assert_eq!(mock.get_with(&format!("/v2/cursus?access_token={token}"), &anonymous).status, 200);
    assert_eq!(mock.get_with("/v2/cursus", &anonymous).status, 401);
    let info = mock.get("/oauth/token/info").json();
    assert_eq!(info["scopes"], serde_json::json!(["public"]));
    assert_eq!(info["application"]["uid"], ID);
    assert_eq!(info["resource_owner_id"], Value::Null);
    assert!(info["expires_in_seconds"].as_i64().unwrap() > 7_000);
}

fn check_refusal(mock: &Mock, form: &str, error: &str, description: &str) {
    let answer = mock.post_form("/oauth/token", form);
    assert_eq!(answer.status, 401, "{form}");
    let body = answer.json();
    assert_eq!(
        (body["error"].as_str(), body["error_description"].as_str()),
        (Some(error), Some(description))
    );
    let header = format!("Bearer realm=\"42 API\", error=\"{error}\", error_description=\"{description}\"");
    assert_eq!(answer.header("www-authenticate"), Some(header.as_str()));
}

#[test]
fn refusals_are_verbatim() {
    let mock = Mock::start(&[]);
    let client = "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method.";
    let wrong = format!("grant_type=client_credentials&client_id={ID}&client_secret=wrong");
    check_refusal(&mock, &wrong, "invalid_client", client);
    check_refusal(&mock, "grant_type=client_credentials", "invalid_client", client);
    let kind = "The authorization grant type is not supported by the authorization server.";
    check_refusal(&mock, &form("password"), "unsupported_grant_type", kind);
    let grant = "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client.";
    check_refusal(&mock, &(form("authorization_code") + "&code=never"), "invalid_grant", grant);
    check_refusal(&mock, &(form("refresh_token") + "&refresh_token=never"), "invalid_grant", grant);
}

#[test]
fn a_code_works_once_and_refresh_tokens_rotate() {
    let mock = Mock::start(&["--code", "first-code"]);
    let exchange = form("authorization_code") + "&code=first-code";
    let personal = mock.post_form("/oauth/token", &exchange).json();
    assert_eq!(mock.post_form("/oauth/token", &exchange).status, 401);
    let token = format!("Bearer {}", personal["access_token"].as_str().unwrap());
    let me = mock.get_with("/v2/me", &[("Authorization", &token)]);
    assert!(me.json()["cursus_users"].is_array(), "{}", me.text);
    assert_eq!(mock.get("/v2/me").status, 404);
    let refresh = form("refresh_token") + "&refresh_token=" + personal["refresh_token"].as_str().unwrap();
    let next = mock.post_form("/oauth/token", &refresh).json();
    assert_ne!(next["refresh_token"], personal["refresh_token"]);
    assert_eq!(mock.post_form("/oauth/token", &refresh).status, 401);
    let code = mock.post_json("/_mock/code", "").json()["code"].as_str().unwrap().to_owned();
    assert_eq!(mock.post_form("/oauth/token", &(form("authorization_code") + "&code=" + &code)).status, 200);
}

#[test]
fn a_secret_expires_and_the_next_one_takes_over() {
    let mock = Mock::start(&["--next-secret", "s-s4t2ud-next"]);
    let with = |secret: &str| {
        let form = format!("grant_type=client_credentials&client_id={ID}&client_secret={secret}");
        mock.post_form("/oauth/token", &form).status
    };
    assert_eq!((with(SECRET), with("s-s4t2ud-next")), (200, 401));
    mock.switch(r#"{"secret_overlap":"on"}"#);
    assert_eq!((with(SECRET), with("s-s4t2ud-next")), (200, 200));
    mock.switch(r#"{"secret_expired":true}"#);
    assert_eq!((with(SECRET), with("s-s4t2ud-next")), (401, 200));
    assert_eq!(mock.get("/v2/cursus").status, 200, "a token outlives the secret");
    mock.switch(r#"{"secret_expired":false,"secret_valid_until":1000000000}"#);
    assert_eq!(with(SECRET), 401);
    mock.switch(r#"{"secret_valid_until":4000000000}"#);
    let answer = mock.post_form("/oauth/token", &form("client_credentials")).json();
    assert_eq!(answer["secret_valid_until"], 4_000_000_000_i64);
}

#[test]
fn a_token_dies_after_so_many_calls() {
    let mock = Mock::start(&["--token-calls", "3"]);
    let statuses: Vec<u16> = (0..4).map(|_| mock.get("/v2/cursus").status).collect();
    assert_eq!(statuses, [200, 200, 200, 401]);
    let expired =
        r#"Bearer realm="42 API", error="invalid_token", error_description="The access token expired""#;
    assert_eq!(mock.get("/v2/cursus").header("www-authenticate"), Some(expired));
    let fresh = format!("Bearer {}", mock.fresh_token());
    assert_eq!(mock.get_with("/v2/cursus", &[("Authorization", &fresh)]).status, 200);
    let grants = &mock.stats()["token_calls_by_grant"];
    assert_eq!(grants, &serde_json::json!({"client_credentials": 2}));
}
