//! Distinguished names, as text (RFC 4514) and as certificates have them.
//!
//! Two are the same name where they have the same attributes in the same order. The values of the attributes
//! that are known here are compared as X.520 has them compared: without regard to the case of the letters A to Z
//! and with a run of spaces for one space, whatever type of string they are in. Other letters are not folded,
//! and values of unknown attributes are the same only bit by bit: what is not surely one name is two.

use std::fmt;

use x509_cert::der::asn1::{Any, ObjectIdentifier};
use x509_cert::der::{Decode, Encode, Tag, Tagged};
use x509_cert::name::Name;

/// Most bytes of a text, most attributes of a name.
const LONGEST: usize = 1000;
const MOST_ATTRIBUTES: usize = 40;

/// The attributes that are known, by the name that is written and those that are read beside it.
const KNOWN: [(&str, &[&str], ObjectIdentifier); 25] = [
    ("CN", &["commonName"], oid("2.5.4.3")),
    ("SN", &["surname"], oid("2.5.4.4")),
    ("SERIALNUMBER", &[], oid("2.5.4.5")),
    ("C", &["countryName"], oid("2.5.4.6")),
    ("L", &["localityName"], oid("2.5.4.7")),
    ("ST", &["S", "stateOrProvinceName"], oid("2.5.4.8")),
    ("STREET", &["streetAddress"], oid("2.5.4.9")),
    ("O", &["organizationName"], oid("2.5.4.10")),
    ("OU", &["organizationalUnitName"], oid("2.5.4.11")),
    ("TITLE", &["T"], oid("2.5.4.12")),
    ("DESCRIPTION", &[], oid("2.5.4.13")),
    ("BUSINESSCATEGORY", &[], oid("2.5.4.15")),
    ("POSTALCODE", &[], oid("2.5.4.17")),
    ("NAME", &[], oid("2.5.4.41")),
    ("GN", &["givenName"], oid("2.5.4.42")),
    ("INITIALS", &[], oid("2.5.4.43")),
    ("DNQUALIFIER", &[], oid("2.5.4.46")),
    ("PSEUDONYM", &[], oid("2.5.4.65")),
    ("ORGANIZATIONIDENTIFIER", &[], oid("2.5.4.97")),
    ("UID", &["userId"], oid("0.9.2342.19200300.100.1.1")),
    ("DC", &["domainComponent"], oid("0.9.2342.19200300.100.1.25")),
    ("EMAILADDRESS", &["E", "EMAIL"], oid("1.2.840.113549.1.9.1")),
    ("JURISDICTIONL", &[], oid("1.3.6.1.4.1.311.60.2.1.1")),
    ("JURISDICTIONST", &[], oid("1.3.6.1.4.1.311.60.2.1.2")),
    ("JURISDICTIONC", &[], oid("1.3.6.1.4.1.311.60.2.1.3")),
];

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

/// A name that is not empty.
#[derive(Clone, Debug)]
pub struct DistinguishedName {
    /// The most specific first, as RFC 4514 writes them; the attributes of one stand in no order.
    parts: Vec<Vec<Attribute>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Attribute {
    kind: ObjectIdentifier,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Text(String),
    /// What is no string that is understood.
    Der(Vec<u8>),
}

impl Attribute {
    fn of(kind: ObjectIdentifier, value: &Any) -> Option<Self> {
        let value = match text(value) {
            Some(text) => Value::Text(text),
            None => Value::Der(value.to_der().ok()?),
        };
        Some(Self { kind, value })
    }

    /// What decides whether it is another.
    fn key(&self) -> Self {
        let value = match &self.value {
            Value::Text(text) if written(self.kind).is_some() => Value::Text(prepared(text)),
            other => other.clone(),
        };
        Self {
            kind: self.kind,
            value,
        }
    }
}

/// The characters of a string of the types that certificates have today.
fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            std::str::from_utf8(value.value()).ok().map(str::to_owned)
        }
        Tag::BmpString => {
            let (units, rest) = value.value().as_chunks::<2>();
            let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            String::from_utf16(&units).ok().filter(|_| rest.is_empty())
        }
        _ => None,
    }
}

fn prepared(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ").to_ascii_lowercase()
}

fn written(kind: ObjectIdentifier) -> Option<&'static str> {
    let found = KNOWN.iter().find(|(_, _, known)| *known == kind);
    found.map(|(name, _, _)| *name)
}

fn kind_named(name: &str) -> Option<ObjectIdentifier> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    let found = KNOWN
        .iter()
        .find(|(short, long, _)| is(short) || long.iter().any(|long| is(long)));
    match found {
        Some((_, _, kind)) => Some(*kind),
        None => ObjectIdentifier::new(name).ok(),
    }
}

impl DistinguishedName {
    /// Of a certificate. `None` where it is empty.
    pub fn of(name: &Name) -> Option<Self> {
        let mut parts = name
            .iter_rdn()
            .map(|part| {
                part.iter()
                    .map(|one| Attribute::of(one.oid, &one.value))
                    .collect()
            })
            .collect::<Option<Vec<Vec<_>>>>()?;
        parts.reverse();
        (!parts.is_empty()).then_some(Self { parts })
    }

    /// Reads `CN=…,O=…,C=…`, the most specific first (RFC 4514 §3). Spaces beside `,`, `+` and `=` are no part of
    /// anything.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        let mut reader = Reader(text);
        let mut parts = vec![Vec::new()];
        for _ in 0..MOST_ATTRIBUTES {
            let (attribute, end) = reader.attribute()?;
            if let Some(part) = parts.last_mut() {
                part.push(attribute);
            }
            match end {
                End::Name => return Ok(Self { parts }),
                End::Part => parts.push(Vec::new()),
                End::Attribute => {}
            }
        }
        Err(format!("it has more than {MOST_ATTRIBUTES} attributes"))
    }

    fn key(&self) -> Vec<Vec<Attribute>> {
        let sorted = |part: &Vec<Attribute>| {
            let mut keys: Vec<Attribute> = part.iter().map(Attribute::key).collect();
            keys.sort();
            keys
        };
        self.parts.iter().map(sorted).collect()
    }
}

impl PartialEq for DistinguishedName {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for DistinguishedName {}

/// As RFC 4514 §2 writes it, but that strings of unknown attributes stay readable.
impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.parts.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "," })?;
            for (at, attribute) in part.iter().enumerate() {
                f.write_str(if at == 0 { "" } else { "+" })?;
                attribute.fmt(f)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match written(self.kind) {
            Some(name) => write!(f, "{name}=")?,
            None => write!(f, "{}=", self.kind)?,
        }
        let text = match &self.value {
            Value::Text(text) if text.is_empty() => return f.write_str("#0c00"),
            Value::Text(text) => text,
            Value::Der(der) => {
                f.write_str("#")?;
                return der.iter().try_for_each(|byte| write!(f, "{byte:02x}"));
            }
        };
        let last = text.chars().count().saturating_sub(1);
        for (at, character) in text.chars().enumerate() {
            match character {
                ' ' if at == 0 || at == last => f.write_str("\\ ")?,
                '#' if at == 0 => f.write_str("\\#")?,
                '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{character}")?,
                '\0'..='\x1f' | '\x7f' => write!(f, "\\{:02x}", u32::from(character))?,
                _ => write!(f, "{character}")?,
            }
        }
        Ok(())
    }
}

/// What an attribute ends.
enum End {
    Attribute,
    Part,
    Name,
}

/// What is left of a text.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn attribute(&mut self) -> Result<(Attribute, End), String> {
        let Some((name, rest)) = self.0.split_once('=') else {
            return Err("an attribute is written as CN=…, and names are separated by commas".to_owned());
        };
        let name = name.trim_matches(' ');
        let kind = kind_named(name).ok_or_else(|| {
            format!("{name:?} is no attribute that is known here: write its object identifier, as 2.5.4.3")
        })?;
        self.0 = rest.trim_start_matches(' ');
        let value = match self.0.strip_prefix('#') {
            Some(rest) => {
                self.0 = rest;
                self.hexadecimal(kind)?
            }
            None => Attribute {
                kind,
                value: Value::Text(self.string(name)?),
            },
        };
        let end = match self.next() {
            None => End::Name,
            Some('+') => End::Attribute,
            Some(_) => End::Part,
        };
        Ok((value, end))
    }

    fn next(&mut self) -> Option<char> {
        let mut rest = self.0.chars();
        let next = rest.next();
        self.0 = rest.as_str();
        next
    }

    fn hexadecimal(&mut self, kind: ObjectIdentifier) -> Result<Attribute, String> {
        let end = self.0.find([',', '+']).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        let wrong = || "what follows # is the DER of a value in hexadecimal".to_owned();
        let der = bytes(digits.trim_end_matches(' ')).ok_or_else(wrong)?;
        let value = Any::from_der(&der).map_err(|_| wrong())?;
        Attribute::of(kind, &value).ok_or_else(wrong)
    }

    /// Up to a separator, which is left.
    fn string(&mut self, name: &str) -> Result<String, String> {
        let (mut read, mut solid) = (Vec::new(), 0);
        while !self.0.starts_with([',', '+']) {
            let Some(character) = self.next() else { break };
            match character {
                '\\' => read.push(self.escaped()?),
                ';' | '<' | '>' | '"' | '\0' => {
                    return Err(format!("{character:?} stands for itself only after a backslash"));
                }
                _ => read.extend(character.encode_utf8(&mut [0; 4]).bytes()),
            }
            if character != ' ' {
                solid = read.len();
            }
        }
        read.truncate(solid);
        if read.is_empty() {
            return Err(format!("{name} has no value"));
        }
        String::from_utf8(read).map_err(|_| format!("the value of {name} is not UTF-8"))
    }

    /// One byte, of a character that is always one, or of two digits.
    fn escaped(&mut self) -> Result<u8, String> {
        let rest = self.0.as_bytes();
        match rest {
            [
                special @ (b' ' | b'"' | b'#' | b'+' | b',' | b';' | b'<' | b'=' | b'>' | b'\\'),
                ..,
            ] => {
                self.0 = &self.0[1..];
                Ok(*special)
            }
            [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digits = &self.0[..2];
                self.0 = &self.0[2..];
                u8::from_str_radix(digits, 16).map_err(|error| error.to_string())
            }
            _ => Err("a backslash stands before a special character or two hexadecimal digits".to_owned()),
        }
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|pair| {
            let digits = std::str::from_utf8(pair)
                .ok()
                .filter(|text| !text.contains('+'))?;
            u8::from_str_radix(digits, 16).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> DistinguishedName {
        DistinguishedName::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn one_name_has_many_spellings() {
        let same = [
            "CN=Memo Bot,O=Example,C=JP",
            "cn=memo bot, o=EXAMPLE, c=jp",
            "commonName = Memo   Bot , 2.5.4.10=Example,countryName=JP",
            r"CN=Memo\20Bot,O=\45xample,C=JP",
            "CN=#0c084d656d6f20426f74,O=Example,C=JP",
            "CN=#13084d656d6f20426f74,O=Example,C=JP",
        ];
        for spelling in same {
            assert_eq!(name(spelling), name(same[0]), "{spelling}");
        }
    }

    #[test]
    fn order_attributes_and_every_other_letter_count() {
        let registered = name("CN=Memo Bot,O=Exämple");
        for other in [
            "O=Exämple,CN=Memo Bot",
            "CN=Memo Bot",
            "CN=Memo Bot,O=Exämple,C=JP",
            "CN=Memo Bot+O=Exämple",
            "CN=MemoBot,O=Exämple",
            "CN=Memo Bot,O=ExÄmple",
            "OU=Memo Bot,O=Exämple",
            "CN=Memo Bot,O=Exämple\\00",
        ] {
            assert_ne!(name(other), registered, "{other}");
        }
        assert_eq!(name("CN=a+OU=b,O=c"), name("OU=b+CN=a,O=c"));
        assert_ne!(name("1.2.3.4=a"), name("1.2.3.4=A"));
    }

    #[test]
    fn what_separates_can_be_escaped() {
        let tricky = name(r"CN=a\,O\=b\+c\\,O=d");
        assert_ne!(tricky, name("CN=a,O=b+C=c,O=d"));
        assert_eq!(tricky.to_string(), r"CN=a\,O=b\+c\\,O=d");
        assert_eq!(name(&tricky.to_string()), tricky);
        assert_eq!(name(r"CN=Lu\c4\8di\c4\87").to_string(), "CN=Lučić");
    }

    #[test]
    fn what_is_no_name_is_refused_in_words() {
        for text in [
            "",
            " ",
            "CN",
            "CN=",
            "CN=a,",
            "CN=a,,O=b",
            "=a",
            "XX=a",
            "CN=a;O=b",
            "CN=\"a\"",
            "CN=a\\",
            "CN=\\zz",
            "CN=#",
            "CN=#0c",
            "CN=#0c0",
            "CN=#+c01",
            "CN=\\ff",
            "CN=a\0",
        ] {
            let why = DistinguishedName::parse(text).err();
            assert!(why.is_some_and(|why| why.len() > 10), "{text:?}");
        }
        assert!(DistinguishedName::parse(&"CN=a,".repeat(500)).is_err());
        assert!(DistinguishedName::parse(&["CN=a"; 41].join(",")).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_is_read_is_written_and_read_again(text in "(CN|O|1\\.2\\.3)=.{0,12}(,|\\+)?(OU=.{0,8})?") {
            if let Ok(read) = DistinguishedName::parse(&text) {
                let written = read.to_string();
                let again = DistinguishedName::parse(&written);
                prop_assert_eq!(again, Ok(read), "{}", written);
            }
        }
    }
}
