//! What must be read again, as a secret that a signature is checked with, rests sealed: whoever has the store, or a
//! copy of it, cannot read it without the key file.
//!
//! A key file is a text of one key a line, the base64url of 32 bytes, with `#` before what is not. The first seals,
//! every one opens. A sealed value names its key: a version byte, the key's id, a nonce, the ciphertext of
//! XChaCha20-Poly1305. It opens only where it belongs: it is bound to the row that it was sealed for.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key as CipherKey, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::entropy::Entropy;

/// The first byte of a sealed value.
const VERSION: u8 = 1;
/// Bytes of a key's id.
const ID: usize = 8;
const NONCE: usize = 24;
const KEY: usize = 32;
/// So that an id tells nothing of its key to whoever hashes keys for something else.
const ID_LABEL: &[u8] = b"tegata sealing key id\0";
/// Bytes of a key file.
const LONGEST_FILE: u64 = 64 * 1024;

/// Names a key, and opens nothing. Sixteen hexadecimal digits in words and in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; ID]);

impl KeyId {
    fn of(key: &[u8; KEY]) -> Self {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(ID_LABEL)
            .chain_update(key)
            .finalize()
            .into();
        let mut id = [0; ID];
        id.copy_from_slice(&digest[..ID]);
        Self(id)
    }

    /// As it stands in a sealed value; `None` where those are not eight bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }

    /// The key that a sealed value names.
    pub fn of_sealed(sealed: &[u8]) -> Option<Self> {
        parts(sealed).map(|(id, ..)| id)
    }
}

impl FromStr for KeyId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all_digits = text.len() == 2 * ID && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u64::from_str_radix(text, 16)
            .ok()
            .filter(|_| all_digits)
            .map(|number| Self(number.to_be_bytes()))
            .ok_or("a key's id is 16 hexadecimal digits")
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// Why something was not sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealingError {
    /// It names a key that is not in the file.
    UnknownKey(KeyId),
    /// It is no sealed value, was changed, or was sealed for another row.
    Damaged,
}

impl fmt::Display for SealingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey(id) => write!(
                f,
                "a secret is sealed under the key {id}, which is not in the key file"
            ),
            Self::Damaged => {
                f.write_str("a sealed secret is damaged, or stands in a row that it was not sealed for")
            }
        }
    }
}

impl std::error::Error for SealingError {}

/// Why a key file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFileError {
    Missing,
    /// What is wrong with it and what to do, without what is in it.
    Unusable(String),
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the sealing key file is missing"),
            Self::Unusable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for KeyFileError {}

#[derive(Clone)]
struct Key {
    id: KeyId,
    cipher: XChaCha20Poly1305,
    /// In the file, from 1.
    line: usize,
}

/// The keys of a server. Cloning is cheap and shares them.
///
/// A file that was replaced, as by a rotation beside a running server, is read again before anything more is sealed,
/// and where a value names a key that is not known yet.
#[derive(Clone)]
pub struct SealingKeys(Arc<Inner>);

struct Inner {
    /// `None`: in memory alone.
    file: Option<PathBuf>,
    ring: Mutex<Ring>,
}

#[derive(Clone)]
struct Ring {
    /// Never empty; the first seals.
    keys: Arc<[Key]>,
    /// Which file they were read from; a broken one is not read over and over.
    seen: Option<Identity>,
}

/// Tells a file from one that took its place, and from itself with other permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    length: u64,
    modified: Option<std::time::SystemTime>,
    #[cfg(unix)]
    node: Node,
}

#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    inode: u64,
    mode: u32,
    owner: u32,
    /// Seconds and nanoseconds.
    changed: (i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            node: Node::of(metadata),
        }
    }
}

#[cfg(unix)]
impl Node {
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;

        Self {
            inode: metadata.ino(),
            mode: metadata.mode(),
            owner: metadata.uid(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl SealingKeys {
    /// One key that is gone with the process, for a store that is so too.
    pub fn in_memory(entropy: &Entropy) -> Self {
        let bytes = Zeroizing::new(entropy.bytes::<KEY>());
        Self::of(None, Arc::new([key(&bytes, 1)]), None)
    }

    /// # Errors
    /// That there is none, or what is wrong with it.
    pub fn read(file: &Path) -> Result<Self, KeyFileError> {
        let (keys, seen) = read(file)?;
        Ok(Self::of(Some(file.to_owned()), keys, Some(seen)))
    }

    fn of(file: Option<PathBuf>, keys: Arc<[Key]>, seen: Option<Identity>) -> Self {
        let ring = Mutex::new(Ring { keys, seen });
        Self(Arc::new(Inner { file, ring }))
    }

    /// Makes a file of one fresh key, for its owner alone; one that is there stays. It appears whole or not at all.
    ///
    /// # Errors
    /// What the file system says.
    pub fn make(file: &Path, entropy: &Entropy) -> io::Result<()> {
        let beside = Beside::new(file, entropy)?;
        beside.write(&line(entropy), None)?;
        match std::fs::hard_link(&beside.path, file) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => sync_directory(file),
        }
    }

    /// Puts a fresh key before those in the file, which a server that runs on it then seals with.
    ///
    /// # Errors
    /// What is wrong with the file, or what the file system says.
    pub fn put_fresh_key_first(file: &Path, entropy: &Entropy) -> Result<(), KeyFileError> {
        let cannot = |error: io::Error| unusable(file, &format!("cannot be replaced: {error}"));
        // Of two at once the later would leave out the key that the earlier seals with.
        let _lock = lock_directory(file).map_err(cannot)?;
        read(file)?;
        let (text, metadata) = contents(file)?;
        let fresh = Zeroizing::new(format!("{}{}", line(entropy).as_str(), text.as_str()));
        let beside = Beside::new(file, entropy).map_err(cannot)?;
        beside.write(&fresh, Some(&metadata)).map_err(cannot)?;
        std::fs::rename(&beside.path, file).map_err(cannot)?;
        sync_directory(file).map_err(cannot)
    }

    /// Where they are read from; `None`: they are in memory alone.
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// Each with its line in the file, from 1. The first seals.
    pub fn ids(&self) -> Vec<(KeyId, usize)> {
        self.refresh();
        let keys = Arc::clone(&self.ring().keys);
        keys.iter().map(|key| (key.id, key.line)).collect()
    }

    /// Seals `plain` for the one place that `bound_to` names.
    ///
    /// # Errors
    /// Never in practice.
    pub fn seal(&self, entropy: &Entropy, bound_to: &str, plain: &[u8]) -> Result<Vec<u8>, SealingError> {
        self.refresh();
        let keys = Arc::clone(&self.ring().keys);
        let key = keys.first().ok_or(SealingError::Damaged)?;
        let nonce = entropy.bytes::<NONCE>();
        let payload = Payload {
            msg: plain,
            aad: bound_to.as_bytes(),
        };
        let sealed = key
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealingError::Damaged)?;
        Ok([&[VERSION], key.id.0.as_slice(), nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for the place that `bound_to` names.
    ///
    /// # Errors
    /// See [`SealingError`].
    pub fn open(&self, bound_to: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        let (id, nonce, sealed) = parts(sealed).ok_or(SealingError::Damaged)?;
        let key = self.key(id).ok_or(SealingError::UnknownKey(id))?;
        let payload = Payload {
            msg: sealed,
            aad: bound_to.as_bytes(),
        };
        key.cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| SealingError::Damaged)
    }

    fn key(&self, id: KeyId) -> Option<Key> {
        let known = |keys: &Self| keys.ring().keys.iter().find(|key| key.id == id).cloned();
        known(self).or_else(|| {
            self.refresh();
            known(self)
        })
    }

    /// Reads the file again where another has taken its place. What is wrong with that one is logged, and the keys
    /// that are known stay.
    fn refresh(&self) {
        let Some(file) = self.0.file.as_deref() else {
            return;
        };
        let now = std::fs::metadata(file)
            .ok()
            .map(|metadata| Identity::of(&metadata));
        if now.is_none() || now == self.ring().seen {
            return;
        }
        let read = read(file);
        let mut ring = self.ring();
        match read {
            Ok((keys, seen)) => {
                ring.keys = keys;
                ring.seen = Some(seen);
            }
            Err(error) => {
                ring.seen = now;
                tracing::warn!(event = "sealing_key_file_unusable", %error, "the keys read before stay in use");
            }
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKeys(***)")
    }
}

/// The id that a sealed value names, its nonce, its ciphertext.
fn parts(sealed: &[u8]) -> Option<(KeyId, &[u8; NONCE], &[u8])> {
    let (&version, rest) = sealed.split_first()?;
    let (id, rest) = rest.split_first_chunk::<ID>()?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
    (version == VERSION).then_some((KeyId(*id), nonce, sealed))
}

fn key(bytes: &[u8; KEY], line: usize) -> Key {
    let own = Zeroizing::new(*bytes);
    Key {
        id: KeyId::of(bytes),
        cipher: XChaCha20Poly1305::new(<&CipherKey>::from(&*own)),
        line,
    }
}

/// A fresh key as a line of a file.
fn line(entropy: &Entropy) -> Zeroizing<String> {
    let bytes = Zeroizing::new(entropy.bytes::<KEY>());
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()));
    Zeroizing::new(format!("{}\n", text.as_str()))
}

fn unusable(file: &Path, why: &str) -> KeyFileError {
    KeyFileError::Unusable(format!("the sealing key file {} {why}", file.display()))
}

fn read(file: &Path) -> Result<(Arc<[Key]>, Identity), KeyFileError> {
    let (text, metadata) = contents(file)?;
    Ok((keys(file, &text)?, Identity::of(&metadata)))
}

/// The text, and what was opened: looked at through the handle, so that nobody swaps the file in between.
fn contents(file: &Path) -> Result<(Zeroizing<String>, Metadata), KeyFileError> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => KeyFileError::Missing,
        ErrorKind::InvalidData => unusable(file, "is no text: it holds one key a line"),
        _ => unusable(file, &format!("cannot be read: {error}")),
    };
    let mut handle = File::open(file).map_err(failed)?;
    let metadata = handle.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(unusable(file, "is no file"));
    }
    if is_open_to_others(&metadata) {
        let path = file.display();
        return Err(unusable(
            file,
            &format!("may be read by others than its owner: run chmod 600 {path}"),
        ));
    }
    if metadata.len() > LONGEST_FILE {
        return Err(unusable(file, "is too long for a list of keys"));
    }
    let mut text = Zeroizing::new(String::new());
    (&mut handle)
        .take(LONGEST_FILE)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok((text, metadata))
}

#[cfg(unix)]
fn is_open_to_others(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    // Where there is no /proc every file is taken for our own, which is the stricter.
    let is_anothers = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() != metadata.uid());
    is_too_open(metadata.mode(), is_anothers)
}

/// Another's file may be ours to read by its group alone, as a secret is that Kubernetes mounts.
#[cfg(unix)]
fn is_too_open(mode: u32, is_anothers: bool) -> bool {
    let refused = if is_anothers { 0o037 } else { 0o077 };
    mode & refused != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Metadata) -> bool {
    false
}

/// A line that is no key is named by its number: what stands there may be most of one.
fn keys(file: &Path, text: &str) -> Result<Arc<[Key]>, KeyFileError> {
    let mut keys: Vec<Key> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some(bytes) = decoded(line) else {
            let why =
                format!("has no key on line {number}: a key is the base64url of 32 bytes, 43 characters");
            return Err(unusable(file, &why));
        };
        let key = key(&bytes, number);
        if keys.iter().all(|known| known.id != key.id) {
            keys.push(key);
        }
    }
    if keys.is_empty() {
        return Err(unusable(
            file,
            "holds no key: put it back, or delete it where nothing was ever sealed",
        ));
    }
    Ok(keys.into())
}

fn decoded(line: &str) -> Option<Zeroizing<[u8; KEY]>> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(line).ok()?);
    let bytes: &[u8; KEY] = bytes.as_slice().try_into().ok()?;
    Some(Zeroizing::new(*bytes))
}

/// A file that is being written beside the one that it is for; deleted where it is left behind.
struct Beside {
    path: PathBuf,
}

impl Beside {
    fn new(file: &Path, entropy: &Entropy) -> io::Result<Self> {
        let mut name = file
            .file_name()
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "it has no name"))?
            .to_owned();
        name.push(format!(".{:016x}", u64::from_be_bytes(entropy.bytes())));
        Ok(Self {
            path: file.with_file_name(name),
        })
    }

    /// Of the owner of `like`: whoever rotates may be another than who runs the server.
    fn write(&self, text: &str, like: Option<&Metadata>) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut handle = options.open(&self.path)?;
        if let Some(like) = like {
            hand_over(&handle, like)?;
        }
        handle.write_all(text.as_bytes())?;
        handle.sync_all()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // after a rename there is none
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(unix)]
fn hand_over(handle: &File, like: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    let own = handle.metadata()?;
    if (own.uid(), own.gid()) == (like.uid(), like.gid()) {
        return Ok(());
    }
    fchown(handle, Some(like.uid()), Some(like.gid()))
}

#[cfg(not(unix))]
fn hand_over(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

fn directory(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn lock_directory(file: &Path) -> io::Result<File> {
    let handle = File::open(directory(file))?;
    handle.lock()?;
    Ok(handle)
}

fn sync_directory(file: &Path) -> io::Result<()> {
    File::open(directory(file))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sealing.key");
        (folder, file)
    }

    fn write(file: &Path, text: &str) {
        std::fs::write(file, text).unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn refused(text: &str) -> String {
        let (_folder, file) = place();
        write(&file, text);
        SealingKeys::read(&file).unwrap_err().to_string()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_alone() {
        let entropy = Entropy::seeded(1);
        let keys = SealingKeys::in_memory(&entropy);
        let sealed = keys.seal(&entropy, "row 1", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(keys.open("row 1", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(keys.open("row 2", &sealed).unwrap_err(), SealingError::Damaged);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(keys.open("row 1", &changed).is_err(), "byte {place}");
            assert!(keys.open("row 1", &sealed[..place]).is_err(), "{place} bytes");
        }
    }

    #[test]
    fn a_value_is_never_sealed_alike_twice() {
        let entropy = Entropy::System;
        let keys = SealingKeys::in_memory(&entropy);
        let seal = || keys.seal(&entropy, "row", b"secret").unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn a_file_is_made_once_for_its_owner_alone() {
        let (folder, file) = place();
        assert_eq!(SealingKeys::read(&file).unwrap_err(), KeyFileError::Missing);
        SealingKeys::make(&file, &Entropy::System).unwrap();
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let first = SealingKeys::read(&file).unwrap().ids();
        SealingKeys::make(&file, &Entropy::System).unwrap();
        assert_eq!(SealingKeys::read(&file).unwrap().ids(), first);
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn a_fresh_key_seals_and_the_earlier_ones_still_open() {
        let (_folder, file) = place();
        let entropy = Entropy::System;
        SealingKeys::make(&file, &entropy).unwrap();
        let running = SealingKeys::read(&file).unwrap();
        let before = running.seal(&entropy, "row", b"old").unwrap();

        SealingKeys::put_fresh_key_first(&file, &entropy).unwrap();
        let command = SealingKeys::read(&file).unwrap();
        assert_eq!(command.ids().len(), 2);
        let by_command = command.seal(&entropy, "row", b"new").unwrap();
        assert_eq!(running.open("row", &by_command).unwrap().as_slice(), b"new");
        assert_eq!(running.open("row", &before).unwrap().as_slice(), b"old");
        let after = running.seal(&entropy, "row", b"newer").unwrap();
        assert_eq!(
            after[1..9],
            by_command[1..9],
            "the server seals with the fresh key"
        );
        assert_ne!(after[1..9], before[1..9]);
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn of_rotations_at_once_every_key_is_kept() {
        let (_folder, file) = place();
        SealingKeys::make(&file, &Entropy::System).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| SealingKeys::put_fresh_key_first(&file, &Entropy::System).unwrap());
            }
        });
        assert_eq!(SealingKeys::read(&file).unwrap().ids().len(), 9);
    }

    #[test]
    fn a_broken_file_beside_a_running_server_changes_nothing() {
        let (_folder, file) = place();
        let entropy = Entropy::System;
        SealingKeys::make(&file, &entropy).unwrap();
        let running = SealingKeys::read(&file).unwrap();
        let sealed = running.seal(&entropy, "row", b"secret").unwrap();
        write(&file, "nonsense\n");
        assert!(running.seal(&entropy, "row", b"more").is_ok());
        assert_eq!(running.open("row", &sealed).unwrap().as_slice(), b"secret");
    }

    #[test]
    fn comments_and_blank_lines_are_passed_over() {
        let (_folder, file) = place();
        let key = line(&Entropy::System);
        write(
            &file,
            &format!("# made on Monday\n\n  {}\n{}", key.as_str(), key.as_str()),
        );
        let ids = SealingKeys::read(&file).unwrap().ids();
        assert_eq!(ids.iter().map(|(_, line)| *line).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn what_is_no_key_is_named_by_its_line_and_not_shown() {
        let short = "c2hvcnQtYnV0LXNlY3JldA";
        let good = line(&Entropy::System);
        let told = refused(&format!("{}{short}\n", good.as_str()));
        assert!(told.contains("line 2"), "{told}");
        assert!(!told.contains(short), "{told}");
        for text in ["", "# none\n", "\n"] {
            assert!(refused(text).contains("holds no key"), "{text:?}");
        }
        assert!(refused(&format!("{}=\n", good.trim())).contains("line 1"));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_what_to_run() {
        let (_folder, file) = place();
        SealingKeys::make(&file, &Entropy::System).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            let told = SealingKeys::read(&file).unwrap_err().to_string();
            assert!(
                told.contains(&format!("chmod 600 {}", file.display())),
                "{mode:o}: {told}"
            );
        }
    }

    #[test]
    fn anothers_file_may_be_read_by_its_group_and_by_nobody_else() {
        for (mode, own, anothers) in [
            (0o100_600, false, false),
            (0o100_400, false, false),
            (0o100_440, true, false),
            (0o100_640, true, false),
            (0o100_660, true, true),
            (0o100_650, true, true),
            (0o100_444, true, true),
            (0o100_602, true, true),
        ] {
            assert_eq!(is_too_open(mode, false), own, "{mode:o}");
            assert_eq!(is_too_open(mode, true), anothers, "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_is_mended_as_advised_is_read_again_beside_a_running_server() {
        let (_folder, file) = place();
        let entropy = Entropy::System;
        SealingKeys::make(&file, &entropy).unwrap();
        let running = SealingKeys::read(&file).unwrap();
        SealingKeys::put_fresh_key_first(&file, &entropy).unwrap();
        let by_command = SealingKeys::read(&file).unwrap();
        let sealed = by_command.seal(&entropy, "row", b"secret").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            running.open("row", &sealed),
            Err(SealingError::UnknownKey(_))
        ));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(running.open("row", &sealed).unwrap().as_slice(), b"secret");
    }

    #[test]
    fn an_id_is_read_as_it_is_shown() {
        let keys = SealingKeys::in_memory(&Entropy::System);
        let (id, _) = keys.ids()[0];
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in [
            "",
            "0123",
            "+123456789abcdef",
            "0123456789abcdefg",
            "0123456789abcdeg",
        ] {
            assert!(text.parse::<KeyId>().is_err(), "{text}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let keys = SealingKeys::in_memory(&Entropy::System);
        assert_eq!(format!("{keys:?}"), "SealingKeys(***)");
    }
}
