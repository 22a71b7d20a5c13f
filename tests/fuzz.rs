//! The fuzz targets of `fuzz/`, fed with their seeds and with what a little chance makes of these: so that
//! they neither rot nor wait for somebody to fuzz.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

#[expect(
    unreachable_pub,
    reason = "the fuzz targets are another crate and take it from outside"
)]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use targets::TARGETS;

#[test]
fn every_target_is_built_and_has_seeds_and_words() {
    let named: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets", ".rs"), named);
    assert_eq!(names("corpus", ""), named);
    assert_eq!(names("dictionaries", ".dict"), named);
    let manifest = fs::read_to_string("fuzz/Cargo.toml").unwrap();
    for name in &named {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name}"
        );
        let target = fs::read_to_string(format!("fuzz/fuzz_targets/{name}.rs")).unwrap();
        assert!(
            target.contains(&format!("tegata_fuzz::{name}::holds(bytes)")),
            "{name}"
        );
        assert!(!seeds(name).is_empty(), "{name}");
    }
}

#[test]
fn every_seed_holds() {
    for (name, holds) in TARGETS {
        for seed in seeds(name) {
            holds(&seed);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Pieces of two seeds and some bytes between them.
    #[test]
    fn what_is_made_of_seeds_holds(
        (name, holds) in proptest::sample::select(TARGETS.as_slice()),
        (one, other) in any::<(Index, Index)>(),
        (start, end) in any::<(Index, Index)>(),
        between in prop_oneof!["(?s).{0,3}".prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..3)],
    ) {
        let seeds = seeds(name);
        let (one, other) = (one.get(&seeds), other.get(&seeds));
        let (start, end) = (start.index(one.len() + 1), end.index(other.len() + 1));
        holds(&[&one[..start], &between, &other[end..]].concat());
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    names(&format!("corpus/{target}"), "")
        .iter()
        .map(|name| fs::read(Path::new("fuzz/corpus").join(target).join(name)).unwrap())
        .collect()
}

/// What lies in a folder of `fuzz/`, without the ending.
fn names(folder: &str, ending: &str) -> BTreeSet<String> {
    fs::read_dir(Path::new("fuzz").join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.strip_suffix(ending).unwrap().to_owned())
        .collect()
}
