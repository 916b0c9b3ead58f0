//! What a final refusal of the API means, in one sentence.

use crate::plain::plain;
use crate::wire::Exchange;
use serde::Deserialize;

/// The longest quotation of the API's own words.
const LONGEST: usize = 200;

/// The forms of an error body: `{"error":"Filter Error","message":"…"}`, or OAuth's `error_description`.
#[derive(Default, Deserialize)]
struct Words {
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
}

/// Says what the API refused, in its own words where it has some.
pub(crate) fn sentence(exchange: &Exchange) -> String {
    let status = exchange.status;
    let words = words(&exchange.body);
    match status {
        300..=399 => format!("{status}: sent elsewhere, and not followed; check API_ROOT"),
        _ if !words.is_empty() => format!("{status}: {words}"),
        403 => "403: this application may not read it".to_owned(),
        404 => "404: there is no such thing, or the API hides it from this application".to_owned(),
        _ => format!("{status}: the request was refused without a reason"),
    }
}

/// The code of an OAuth refusal, such as `invalid_grant`; empty when the body has none.
pub(crate) fn code(exchange: &Exchange) -> String {
    serde_json::from_slice::<Words>(&exchange.body).ok().and_then(|words| words.error).unwrap_or_default()
}

fn words(body: &[u8]) -> String {
    let words: Words = serde_json::from_slice(body).unwrap_or_default();
    let detail = words.message.or(words.error_description);
    let said: Vec<String> = words.error.into_iter().chain(detail).collect();
    plain(&said.join(": "), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hints::Hints;

    fn check(status: u16, body: &str, expected: &str) {
        let exchange = Exchange { status, hints: Hints::default(), body: body.as_bytes().to_vec() };
        assert_eq!(sentence(&exchange), expected);
    }

    #[test]
    fn the_api_speaks_for_itself_where_it_can() {
        check(
            400,
            r#"{"error":"Sort Error","message":"The x field is not sortable"}"#,
            "400: Sort Error: The x field is not sortable",
        );
        check(401, r#"{"error":"invalid_client","error_description":"no"}"#, "401: invalid_client: no");
        check(403, "", "403: this application may not read it");
        check(404, "{}", "404: there is no such thing, or the API hides it from this application");
        check(404, "<html>", "404: there is no such thing, or the API hides it from this application");
        check(302, "", "302: sent elsewhere, and not followed; check API_ROOT");
        check(422, "[]", "422: the request was refused without a reason");
    }

    #[test]
    fn its_words_are_made_harmless_and_short() {
        let body = format!(r#"{{"error":"a\u001b[2J\n{}"}}"#, "b".repeat(900));
        let exchange = Exchange { status: 400, hints: Hints::default(), body: body.into_bytes() };
        let sentence = sentence(&exchange);
        assert!(sentence.starts_with("400: a [2J b") && sentence.chars().count() == 205, "{sentence}");
    }
}
