//! Whether the time of a refusal tells what its words do not: Welch's t-test between refusals that look alike.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::{StdRng, SysRng};
use rand::seq::SliceRandom;
use rand::{SeedableRng, TryRng};
use tegata::base::entropy::Entropy;
use tegata::base::secret::Secret;

use super::error::{Failure, Result};
use super::http1::{self, Connection};
use super::options::Options;
use super::postgres::Postgres;
use super::report;
use super::scene::{Application, Scene};
use super::server::Server;
use super::store::Store;

/// The slowest of every hundred are the scheduler's doing, and left out on both sides.
const KEPT_OF_A_HUNDRED: usize = 95;

/// Refusals of one kind that a stranger must not be able to tell apart.
struct Comparison {
    title: &'static str,
    /// The first is what the others are compared with.
    kinds: Vec<Kind>,
}

struct Kind {
    title: &'static str,
    request: Box<dyn Fn() -> Vec<u8>>,
    status: u16,
    /// Microseconds.
    times: Vec<f64>,
}

/// Sends all kinds in random order over one connection and says how they compare.
pub(crate) async fn compare(options: &Options, postgres: Option<&Postgres>, title: &str) -> Result<String> {
    let store = Store::create(postgres, "timing", &options.server).await?;
    let scene = Scene::set(&store).await?;
    let server = Server::start(&store, &options.log).await?;
    let workers = scene.workers(&server, 1).await?;
    let foreign = workers.first().map(|worker| worker.access_token().to_owned());
    drop(workers);

    let mut said = format!(
        "{title}, each {} times, |t| against the first:",
        options.samples()
    );
    for mut comparison in [
        credentials(&server, &scene.machine)?,
        introspection(&server, &scene.machine, foreign.unwrap_or_default()),
    ] {
        eprintln!("{title}: time of {}", comparison.title);
        comparison.measure(&server, options.samples()).await?;
        said.push_str(&comparison.to_string());
    }
    server.stop().await?;
    store.delete().await?;
    Ok(said)
}

/// Client authentication (RFC 6749 §2.3.1): where a secret is wrong, and whether the application exists.
fn credentials(server: &Server, application: &Application) -> Result<Comparison> {
    let secret = application.secret()?;
    let (prefix, random) = secret.split_at("tgs_".len());
    let first = format!("{prefix}{}{}", other(random.chars().next()), &random[1..]);
    let last = format!("{}{}", &secret[..secret.len() - 1], other(secret.chars().last()));
    let known = application.client_id.clone();
    let unknown = "x".repeat(known.len());
    let ask = |title, client_id: &str, secret: &str| {
        let basic = STANDARD.encode(format!("{client_id}:{secret}"));
        let headers = format!("Authorization: Basic {basic}\r\n");
        let sent = http1::post(
            server.host(),
            "/oauth/token",
            &headers,
            "grant_type=client_credentials",
        );
        Kind::new(title, 401, move || sent.clone())
    };
    Ok(Comparison {
        title: "client authentication",
        kinds: vec![
            ask("first character wrong", &known, &first),
            ask("last character wrong", &known, &last),
            ask("unknown application", &unknown, &secret),
        ],
    })
}

/// Introspection (RFC 7662 §2.2): a token that was never given, and one that belongs to somebody else.
fn introspection(server: &Server, application: &Application, foreign: String) -> Comparison {
    let ask = |token: &dyn Fn() -> String, host: &str, basic: &str| {
        http1::post(host, "/oauth/introspect", basic, &format!("token={}", token()))
    };
    let kind = |title, token: Box<dyn Fn() -> String>| {
        let (host, basic) = (server.host().to_owned(), application.basic.clone());
        Kind::new(title, 200, move || ask(&*token, &host, &basic))
    };
    let random = || Secret::generate(&Entropy::System, "tga_").expose().to_owned();
    Comparison {
        title: "introspection",
        kinds: vec![
            kind("a random token", Box::new(random)),
            kind("somebody else's token", Box::new(move || foreign.clone())),
        ],
    }
}

impl Comparison {
    async fn measure(&mut self, server: &Server, samples: usize) -> Result<()> {
        let mut connection = Connection::open(server.address).await?;
        let mut chance =
            StdRng::seed_from_u64(SysRng.try_next_u64().map_err(|e| Failure::when("chance", e))?);
        let mut order: Vec<usize> = (0..self.kinds.len()).collect();
        let mut body = None;
        // the first twentieth warms everything up
        for round in 0..samples + samples / 20 {
            order.shuffle(&mut chance);
            for &number in &order {
                let kind = &mut self.kinds[number];
                let request = (kind.request)();
                let started = Instant::now();
                let answer = connection.send(&request).await?;
                let micros = started.elapsed().as_secs_f64() * 1_000_000.0;
                answer.unless(answer.status == kind.status, kind.title)?;
                let expected = body.get_or_insert_with(|| answer.body.to_owned());
                answer.unless(answer.body == expected, "same words as before")?;
                if round >= samples / 20 {
                    kind.times.push(micros);
                }
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\n- {}: ", self.title)?;
        let Some((first, others)) = self.kinds.split_first() else {
            return Ok(());
        };
        let reference = usual(&first.times);
        write!(f, "{} {:.1} µs", first.title, report::median(&first.times))?;
        for kind in others {
            let t = welch(&reference, &usual(&kind.times)).abs();
            write!(
                f,
                "; {} {:.1} µs, {t:.2}",
                kind.title,
                report::median(&kind.times)
            )?;
        }
        Ok(())
    }
}

impl Kind {
    fn new(title: &'static str, status: u16, request: impl Fn() -> Vec<u8> + 'static) -> Self {
        Self {
            title,
            request: Box::new(request),
            status,
            times: Vec::new(),
        }
    }
}

/// Another character of the alphabet of secrets.
fn other(character: Option<char>) -> char {
    if character == Some('A') { 'B' } else { 'A' }
}

fn usual(times: &[f64]) -> Vec<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.truncate(times.len() * KEPT_OF_A_HUNDRED / 100);
    sorted
}

/// Welch's t of two samples of unequal variance; 0 where one is empty.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let ((m1, v1), (m2, v2)) = (mean_and_error(one), mean_and_error(other));
    let error = (v1 + v2).sqrt();
    if error > 0.0 { (m1 - m2) / error } else { 0.0 }
}

/// The mean and the square of its standard error.
fn mean_and_error(times: &[f64]) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let count = times.len() as f64;
    if count < 2.0 {
        return (0.0, 0.0);
    }
    let mean = times.iter().sum::<f64>() / count;
    let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
    (mean, squares / (count - 1.0) / count)
}
