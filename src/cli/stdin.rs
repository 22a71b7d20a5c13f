//! A secret on standard input: never in the process list, never in a shell's history.

use std::io::{self, IsTerminal, Read};

use zeroize::Zeroizing;

use super::failure::Failure;
use super::output;
use crate::base::secret::Secret;

/// In bytes, the final newline included.
const LONGEST: usize = 8 * 1024;

/// All of standard input but one final newline. `what` it is, in a word or two.
///
/// # Errors
/// Where it is empty, too long, not UTF-8 or cannot be read.
pub(super) fn secret(what: &'static str) -> Result<Secret, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        output::tell(&format!(
            "Type the {what}, then Enter and Ctrl-D. It shows as you type."
        ));
    }
    read(stdin.lock(), what)
}

fn read(input: impl Read, what: &str) -> Result<Secret, Failure> {
    // with room for all, no copy is left behind by growing
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    let most = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    input.take(most).read_to_end(&mut bytes).map_err(|error| {
        Failure::new(format!(
            "cannot read the {what} from standard input: {error}: pipe it in"
        ))
    })?;
    if bytes.len() > LONGEST {
        return Err(Failure::new(format!(
            "the {what} on standard input is too long: give at most {LONGEST} bytes"
        )));
    }
    let text = std::str::from_utf8(without_newline(&bytes)).map_err(|_| {
        Failure::new(format!(
            "the {what} on standard input is not UTF-8: give it as UTF-8 text"
        ))
    })?;
    if text.is_empty() {
        return Err(Failure::new(format!(
            "there is no {what} on standard input: pipe it in, as `… < FILE` does"
        )));
    }
    Ok(Secret::new(text))
}

fn without_newline(bytes: &[u8]) -> &[u8] {
    match bytes.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(input: &[u8]) -> Result<String, String> {
        read(input, "password")
            .map(|secret| secret.expose().to_owned())
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn one_final_newline_is_lost_and_nothing_else() {
        for (input, expected) in [
            (&b"hush"[..], "hush"),
            (b"hush\n", "hush"),
            (b"hush\r\n", "hush"),
            (b"hush\n\n", "hush\n"),
            (b"hush\r", "hush\r"),
            (b" hush \n", " hush "),
            ("ふじ\n".as_bytes(), "ふじ"),
        ] {
            assert_eq!(text(input).as_deref(), Ok(expected), "{input:?}");
        }
    }

    #[test]
    fn what_is_empty_or_not_utf8_is_refused() {
        for input in [&b""[..], b"\n", b"\r\n"] {
            assert!(
                text(input).unwrap_err().contains("there is no password"),
                "{input:?}"
            );
        }
        assert!(text(b"\xff\xfe").unwrap_err().contains("not UTF-8"));
    }

    #[test]
    fn what_is_too_long_is_refused_and_not_read_to_its_end() {
        let fits = vec![b'a'; LONGEST];
        assert_eq!(text(&fits).map(|text| text.len()), Ok(LONGEST));
        assert!(
            read(io::repeat(b'a'), "token")
                .unwrap_err()
                .to_string()
                .contains("too long")
        );
    }
}
