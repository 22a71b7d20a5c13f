//! Passwords: which are taken, how they are hashed, and how many at a time.
//!
//! Argon2id (RFC 9106) with the parameters of the OWASP recommendation. Hashing is slow on purpose, so
//! it runs beside the async workers, a few at a time, with a short queue: a flood of logins finds
//! [`Busy`], everybody else finds the server as quick as before.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{self, Error as HashError};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::Semaphore;
use zeroize::Zeroize;

use super::entropy::Entropy;
use super::secret::Secret;

/// In characters.
pub const SHORTEST: usize = 8;
/// In bytes of UTF-8.
pub const LONGEST: usize = 1024;

const WAITING: usize = 64;
const SALT: usize = 16;

/// Hashes and verifies passwords. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Passwords {
    params: Params,
    entropy: Entropy,
    /// As dear to verify as any, and no password fits it.
    nobody: Arc<str>,
    running: Arc<Semaphore>,
    /// Running or waiting.
    places: Arc<Semaphore>,
    memory: Memory,
}

/// The memory that hashes are computed in, one piece for each that runs at once, used over and over. Left to
/// the allocator, each of the many threads on which they run would keep a piece of its own, and a flood
/// make the server grow to hundreds of megabytes.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<Vec<Block>>>>);

impl Memory {
    fn pieces(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` on `count` blocks. They are left empty.
    fn lend<T>(&self, count: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        let mut piece = self.pieces().pop().unwrap_or_default();
        piece.resize(count, Block::new());
        let done = work(&mut piece);
        piece.iter_mut().for_each(Zeroize::zeroize);
        self.pieces().push(piece);
        done
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

/// Too many passwords at once. Worth another attempt in a few seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many passwords are being checked; try again in a few seconds")
    }
}

impl Error for Busy {}

impl Passwords {
    /// At the cost for production: 19 MiB, two passes, one lane; half the cores at most.
    pub fn new(entropy: Entropy) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::with(params(19_456, 2), entropy, (cores / 2).max(1), WAITING)
    }

    /// At hardly any cost. For tests, and for a sandbox, where no password is anybody's.
    pub fn cheap(entropy: Entropy) -> Self {
        Self::with(params(8, 1), entropy, 2, WAITING)
    }

    fn with(params: Params, entropy: Entropy, running: usize, waiting: usize) -> Self {
        Self {
            nobody: nobody(&params, &entropy).into(),
            params,
            entropy,
            running: Arc::new(Semaphore::new(running)),
            places: Arc::new(Semaphore::new(running + waiting)),
            memory: Memory::default(),
        }
    }

    /// The hash in the PHC string format, with a fresh salt. `password` has passed [`check`].
    ///
    /// # Errors
    /// [`Busy`] when the queue is full.
    pub async fn hash(&self, password: Secret) -> Result<String, Busy> {
        let (params, salt) = (self.params.clone(), self.entropy.bytes::<SALT>());
        let memory = self.memory.clone();
        self.run(move || hashed(&password, &salt, params, &memory))
            .await?
            .map_err(|error| {
                tracing::error!(%error, "a password could not be hashed");
                Busy
            })
    }

    /// Whether `password` is the one behind `stored`, a PHC string. `None`, for a user there is not,
    /// takes as long as a wrong password and is `false`, so that time tells nobody who exists.
    ///
    /// # Errors
    /// [`Busy`] when the queue is full.
    pub async fn verify(&self, password: Secret, stored: Option<String>) -> Result<bool, Busy> {
        if password.expose().len() > LONGEST {
            return Ok(false);
        }
        let exists = stored.is_some();
        let phc = stored.unwrap_or_else(|| self.nobody.to_string());
        let memory = self.memory.clone();
        let fits = self.run(move || fits(&password, &phc, &memory)).await?;
        Ok(fits && exists)
    }

    /// Runs `work` on a blocking thread when its turn comes. The place is given back when the work is
    /// done, even if nobody waits for it any more.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| Busy)?;
        let work = tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            work()
        });
        work.await.map_err(|_| Busy)
    }
}

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    TooShort,
    TooLong,
    HasNul,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => write!(f, "A password has at least {SHORTEST} characters."),
            Self::TooLong => write!(f, "A password has at most {LONGEST} bytes."),
            Self::HasNul => f.write_str("A password has no NUL character."),
        }
    }
}

impl Error for Refused {}

/// Whether a new password is taken. It counts byte for byte as it was sent: nothing is trimmed, cut or
/// normalised.
///
/// # Errors
/// What is wrong with it, in words for people.
pub fn check(password: &Secret) -> Result<(), Refused> {
    let text = password.expose();
    if text.len() > LONGEST {
        return Err(Refused::TooLong);
    }
    if text.chars().count() < SHORTEST {
        return Err(Refused::TooShort);
    }
    if text.contains('\0') {
        return Err(Refused::HasNul);
    }
    Ok(())
}

fn params(kibibytes: u32, passes: u32) -> Params {
    Params::new(kibibytes, passes, 1, None).unwrap_or_default()
}

/// A PHC string that no password fits: salt and hash are chance.
fn nobody(params: &Params, entropy: &Entropy) -> String {
    let salt = STANDARD_NO_PAD.encode(entropy.bytes::<SALT>());
    let hash = STANDARD_NO_PAD.encode(entropy.bytes::<{ Params::DEFAULT_OUTPUT_LEN }>());
    let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
    format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}")
}

fn hashed(password: &Secret, salt: &[u8], params: Params, memory: &Memory) -> password_hash::Result<String> {
    let whole = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params)?,
        salt: Some(Salt::new(salt)?),
        hash: Some(output(
            password,
            salt,
            params,
            Params::DEFAULT_OUTPUT_LEN,
            memory,
        )?),
    };
    Ok(whole.to_string())
}

fn fits(password: &Secret, phc: &str, memory: &Memory) -> bool {
    again(password, phc, memory).unwrap_or_else(|error| {
        tracing::error!(%error, "a stored password hash is damaged; its user cannot sign in");
        false
    })
}

/// Computes what `phc` holds again, of `password`. [`Output`] is compared in constant time.
fn again(password: &Secret, phc: &str, memory: &Memory) -> password_hash::Result<bool> {
    let stored = PasswordHash::new(phc)?;
    let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else {
        return Err(HashError::EncodingInvalid);
    };
    let params = Params::try_from(&stored)?;
    Ok(output(password, &salt, params, expected.len(), memory)? == expected)
}

/// Of `length` bytes, at most [`Output::MAX_LENGTH`].
fn output(
    password: &Secret,
    salt: &[u8],
    params: Params,
    length: usize,
    memory: &Memory,
) -> password_hash::Result<Output> {
    let mut bytes = [0; Output::MAX_LENGTH];
    let out = bytes.get_mut(..length).ok_or(HashError::OutputSize)?;
    let count = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    memory.lend(count, |blocks| {
        argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, out, blocks)
    })?;
    Ok(Output::new(out)?)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    use super::*;

    fn cheap() -> Passwords {
        Passwords::cheap(Entropy::seeded(1))
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = cheap();
        let stored = passwords.hash(secret("correct horse")).await.unwrap();
        let fits = async |text: &str| {
            passwords
                .verify(secret(text), Some(stored.clone()))
                .await
                .unwrap()
        };
        assert!(fits("correct horse").await);
        for wrong in [
            "",
            "correct horsf",
            " correct horse",
            "correct horse ",
            "Correct horse",
        ] {
            assert!(!fits(wrong).await, "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn nothing_is_cut() {
        let passwords = cheap();
        let long = "é".repeat(LONGEST / 2);
        let stored = passwords.hash(secret(&long)).await.unwrap();
        assert!(
            passwords
                .verify(secret(&long), Some(stored.clone()))
                .await
                .unwrap()
        );
        let shorter = long.get(..LONGEST - 2).unwrap();
        assert!(
            !passwords
                .verify(secret(shorter), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify(secret(&format!("{long}x")), Some(stored))
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn the_cost_for_production_is_in_the_hash_and_for_nobody_too() {
        let passwords = Passwords::new(Entropy::System);
        let stored = passwords.hash(secret("correct horse")).await.unwrap();
        let cost = "$argon2id$v=19$m=19456,t=2,p=1$";
        assert!(stored.starts_with(cost), "{stored}");
        assert!(passwords.nobody.starts_with(cost), "{}", passwords.nobody);
        let like_any = PasswordHash::new(&passwords.nobody).unwrap();
        let any = PasswordHash::new(&stored).unwrap();
        assert_eq!(like_any.hash.unwrap().len(), any.hash.unwrap().len());
        assert_eq!(like_any.salt.unwrap().len(), any.salt.unwrap().len());
    }

    #[tokio::test]
    async fn a_hash_of_another_program_and_of_other_parameters_is_known() {
        let passwords = cheap();
        let foreign = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(64, 3));
        let stored = foreign
            .hash_password_with_salt(b"correct horse", b"0123456789abcdef")
            .unwrap()
            .to_string();
        for (text, right) in [("correct horse", true), ("correct horsf", false)] {
            let fits = passwords.verify(secret(text), Some(stored.clone())).await;
            assert_eq!(fits, Ok(right), "{text}");
        }
        let own = passwords.hash(secret("correct horse")).await.unwrap();
        assert!(Argon2::default().verify_password(b"correct horse", &*own).is_ok());
    }

    #[tokio::test]
    async fn memory_is_used_again_and_left_empty() {
        let passwords = cheap();
        let stored = passwords.hash(secret("correct horse")).await.unwrap();
        let crowd = (0..40).map(|_| passwords.verify(secret("correct horse"), Some(stored.clone())));
        for fits in futures_util::future::join_all(crowd).await {
            assert_eq!(fits, Ok(true));
        }
        let pieces = passwords.memory.pieces();
        assert!((1..=2).contains(&pieces.len()), "one for each that runs at once");
        let words = || pieces.iter().flatten().flat_map(AsRef::as_ref);
        assert_eq!(words().count(), pieces.len() * 8 * 128);
        assert!(words().all(|word| *word == 0), "nothing is left of a password");
    }

    #[tokio::test]
    async fn salts_differ() {
        let passwords = cheap();
        let hashes = (
            passwords.hash(secret("same same")).await,
            passwords.hash(secret("same same")).await,
        );
        assert_ne!(hashes.0.unwrap(), hashes.1.unwrap());
    }

    #[tokio::test]
    async fn nobody_and_damaged_hashes_fit_no_password() {
        let passwords = cheap();
        assert!(!passwords.verify(secret("correct horse"), None).await.unwrap());
        for damaged in ["", "correct horse", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ"] {
            assert!(
                !passwords
                    .verify(secret("correct horse"), Some(damaged.into()))
                    .await
                    .unwrap()
            );
        }
    }

    #[tokio::test]
    async fn a_full_queue_is_busy_and_recovers() {
        let passwords = Passwords::with(params(8, 1), Entropy::seeded(1), 1, 1);
        let (release, held) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let passwords = passwords.clone();
            async move { passwords.run(move || held.recv().is_err()).await }
        });
        let second = tokio::spawn({
            let passwords = passwords.clone();
            async move { passwords.hash(secret("correct horse")).await }
        });
        while passwords.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(passwords.hash(secret("correct horse")).await, Err(Busy));
        assert_eq!(passwords.verify(secret("correct horse"), None).await, Err(Busy));
        drop(release);
        assert_eq!(first.await.unwrap(), Ok(true));
        assert!(second.await.unwrap().is_ok());
        assert!(passwords.hash(secret("correct horse")).await.is_ok());
    }

    #[test]
    fn the_policy_counts_characters_below_and_bytes_above() {
        let outcome = |text: &str| check(&secret(text));
        assert_eq!(outcome("1234567"), Err(Refused::TooShort));
        assert_eq!(outcome("éééé"), Err(Refused::TooShort));
        assert_eq!(outcome("éééééééé"), Ok(()));
        assert_eq!(outcome(&"x".repeat(LONGEST)), Ok(()));
        assert_eq!(outcome(&"x".repeat(LONGEST + 1)), Err(Refused::TooLong));
        assert_eq!(outcome("12345678\0"), Err(Refused::HasNul));
        assert_eq!(outcome("        "), Ok(()));
    }
}
