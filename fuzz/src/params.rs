//! Queries and form bodies: what the strict parser takes, the lenient one of browsers reads the same.

use percent_encoding::percent_decode;
use tegata::protocol::params::{Params, ParamsError};

use super::assert_plain;

pub fn holds(input: &[u8]) {
    match Params::parse(input) {
        Ok(params) => reads_as_browsers_do(&params, input),
        Err(error) => is_right(error, input),
    }
}

fn reads_as_browsers_do(params: &Params, input: &[u8]) {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(input).into_owned().collect();
    assert!(pairs.len() <= 200);
    for (name, _) in &pairs {
        let named: Vec<&str> = pairs
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(params.repeated(name), named.len() > 1);
        assert!(
            params
                .all(name)
                .eq(named.into_iter().filter(|value| !value.is_empty()))
        );
        assert_eq!(params.get(name), params.all(name).next());
    }
    let repeated = |name: &str| pairs.iter().filter(|(other, _)| other == name).count() > 1;
    match params.first_repeated() {
        Some(name) => assert!(name != "resource" && repeated(name)),
        None => assert!(
            pairs
                .iter()
                .all(|(name, _)| name == "resource" || !repeated(name))
        ),
    }
    match params.reject_repeated() {
        Ok(()) => assert_eq!(params.first_repeated(), None),
        Err(error) => assert_plain(error.description()),
    }
    let twice = params.clone().merge(params.clone());
    assert!(pairs.iter().all(|(name, _)| twice.repeated(name)));
}

fn is_right(error: ParamsError, input: &[u8]) {
    let is_escape = |after: &[u8]| after.len() >= 2 && after[..2].iter().all(u8::is_ascii_hexdigit);
    match error {
        ParamsError::TooMany => {
            let pairs = input.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
            assert!(pairs.count() > 200);
        }
        ParamsError::MalformedEscape => {
            assert!(!input.split(|&byte| byte == b'%').skip(1).all(is_escape));
        }
        ParamsError::NotUtf8 => {
            let texts = input.split(|byte| matches!(byte, b'&' | b'='));
            assert!(
                texts
                    .into_iter()
                    .any(|text| percent_decode(text).decode_utf8().is_err())
            );
        }
    }
    assert_plain(&error.to_string());
}
