//! `tegata doctor`

use super::arguments::Doctor;
use super::failure::Failure;
use super::output::{self, Format};
use super::stdin;
use crate::base::entropy::Entropy;
use crate::base::uri;
use crate::flow::doctor::{self, Plan};
use crate::flow::outbound::Outbound;

/// Prints what was tried and what came of it.
///
/// # Errors
/// That a rule is broken; what was found is printed all the same. And a URL that names no server.
pub(super) async fn run(given: &Doctor, format: Format) -> Result<(), Failure> {
    let target = target(&given.url)?;
    let secret = given.client_secret_stdin.then(|| stdin::secret("client secret"));
    let plan = Plan {
        target,
        client_id: given.client_id.clone(),
        client_secret: secret.transpose()?,
        redirect_uri: given.redirect_uri.clone(),
        scope: given.scope.clone(),
    };
    let outbound = Outbound::new().map_err(|error| {
        Failure::new(format!(
            "TLS cannot be spoken: {error}: run it on another machine"
        ))
    })?;
    let report = doctor::examine(&plan, &outbound, &Entropy::System).await;
    output::print(&format.render(&report)?)?;
    if report.failed > 0 {
        return Err(Failure::new(format!(
            "{} broken: each says whose it is and what mends it",
            report.failed
        )));
    }
    Ok(())
}

fn target(url: &str) -> Result<String, Failure> {
    let refused = |why| {
        Failure::new(format!(
            "{url} {why}: give an issuer or a resource, as https://id.example"
        ))
    };
    uri::absolute(url).map_err(refused)?;
    let lower = url.to_ascii_lowercase();
    if !lower.starts_with("https://") && !lower.starts_with("http://") {
        return Err(refused("is not a web address"));
    }
    if url.contains('?') {
        return Err(refused("has a query"));
    }
    Ok(url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_web_address_can_be_looked_at() {
        for url in ["https://id.example/a", "http://127.0.0.1:3801"] {
            assert_eq!(target(url).unwrap(), url);
        }
        for url in [
            "id.example",
            "localhost:3801",
            "https://id.example?a",
            "https://a@id.example",
            "urn:a:b",
        ] {
            assert!(
                target(url)
                    .unwrap_err()
                    .to_string()
                    .starts_with(&format!("tegata: {url} ")),
                "{url}"
            );
        }
    }
}
