//! The files pages load: compiled in, named by their content so that they may be cached for ever.

use std::fmt::Write;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// A file as served.
#[derive(Clone, Debug)]
pub struct Asset {
    /// `/assets/NAME.HASH.EXTENSION`, the hash being 16 hexadecimal digits of the content's SHA-256.
    pub path: String,
    pub content_type: &'static str,
    pub bytes: &'static [u8],
}

impl Asset {
    fn new(name: &str, extension: &str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        let path = format!("/assets/{name}.{}.{extension}", short_hash(bytes));
        Self {
            path,
            content_type,
            bytes,
        }
    }

    /// The path as pages link it.
    pub fn href(&self) -> String {
        self.path.clone()
    }
}

pub static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| {
    let bytes = include_bytes!("../../../assets/tegata.css");
    Asset::new("tegata", "css", "text/css; charset=utf-8", bytes)
});

/// Of the pages that have something to copy; they do without it.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let bytes = include_bytes!("../../../assets/tegata.js");
    Asset::new("tegata", "js", "text/javascript; charset=utf-8", bytes)
});

pub static MARK: LazyLock<Asset> = LazyLock::new(|| {
    let bytes = include_bytes!("../../../assets/mark.svg");
    Asset::new("mark", "svg", "image/svg+xml", bytes)
});

pub static FAVICON: LazyLock<Asset> = LazyLock::new(|| {
    let bytes = include_bytes!("../../../assets/favicon.svg");
    Asset::new("favicon", "svg", "image/svg+xml", bytes)
});

/// Of whoever has no picture of their own.
pub static PERSON: LazyLock<Asset> = LazyLock::new(|| {
    let bytes = include_bytes!("../../../assets/person.svg");
    Asset::new("person", "svg", "image/svg+xml", bytes)
});

/// The asset at `path`, which is the whole path of the request.
pub fn find(path: &str) -> Option<&'static Asset> {
    [&STYLESHEET, &SCRIPT, &MARK, &FAVICON, &PERSON]
        .into_iter()
        .map(|asset| &**asset)
        .find(|asset| asset.path == path)
}

fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .take(8)
        .fold(String::with_capacity(16), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stylesheet() -> &'static str {
        std::str::from_utf8(STYLESHEET.bytes).unwrap()
    }

    #[test]
    fn an_asset_is_found_by_its_hashed_path_only() {
        let found = find(&STYLESHEET.path).unwrap();
        assert_eq!(found.bytes, STYLESHEET.bytes);
        assert_eq!(found.path.len(), "/assets/tegata..css".len() + 16);
        assert!(find("/assets/tegata.css").is_none());
        assert!(find("/assets/").is_none());
    }

    #[test]
    fn the_stylesheet_stays_small_and_loads_nothing() {
        assert!(
            STYLESHEET.bytes.len() < 12_000,
            "{} bytes",
            STYLESHEET.bytes.len()
        );
        assert!(!stylesheet().contains("url(") && !stylesheet().contains("@import"));
    }

    /// The light and the dark value of a colour of the stylesheet.
    fn colour(name: &str) -> [[f64; 3]; 2] {
        let declaration = format!("--{name}: light-dark(");
        let (_, rest) = stylesheet().split_once(&declaration).unwrap();
        let (values, _) = rest.split_once(')').unwrap();
        let (light, dark) = values.split_once(", ").unwrap();
        [rgb(light), rgb(dark)]
    }

    fn rgb(hex: &str) -> [f64; 3] {
        [1, 3, 5].map(|at| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0)
    }

    /// WCAG 2.2, "contrast ratio".
    fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
        let luminance = |colour: [f64; 3]| {
            let [red, green, blue] = colour.map(|c| {
                if c <= 0.04045 {
                    c / 12.92
                } else {
                    ((c + 0.055) / 1.055).powf(2.4)
                }
            });
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_stands_out_from_what_is_under_it_by_light_and_by_dark() {
        let on = |texts: &'static [&'static str], ground: &'static str, least: f64| {
            texts.iter().map(move |text| (*text, ground, least))
        };
        let pairs = on(
            &["ink", "muted", "accent", "accent-strong", "danger"],
            "paper",
            4.5,
        )
        .chain(on(
            &["ink", "muted", "accent", "accent-strong", "danger"],
            "surface",
            4.5,
        ))
        .chain(on(&["ink", "muted"], "sunken", 4.5))
        .chain(on(&["on-accent"], "accent", 4.5))
        .chain(on(&["on-accent"], "accent-strong", 4.5))
        .chain(on(&["paper"], "ink", 4.5))
        .chain(on(&["surface"], "danger", 4.5))
        .chain(on(&["ink", "danger"], "danger-wash", 4.5))
        .chain(on(&["ink"], "good-wash", 4.5))
        .chain(on(&["edge"], "surface", 3.0))
        .chain(on(&["edge"], "paper", 3.0));
        for (text, ground, least) in pairs {
            for (scheme, (above, under)) in colour(text).into_iter().zip(colour(ground)).enumerate() {
                let ratio = contrast(above, under);
                assert!(
                    ratio >= least,
                    "{text} on {ground}, scheme {scheme}: {ratio:.2} < {least}"
                );
            }
        }
    }
}
