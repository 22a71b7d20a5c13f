//! What a record says, and how it is spelt.

use std::fmt::{self, Debug, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::Level;
use tracing::field::{Field, Visit};

/// Characters of a value; the rest is cut.
const LONGEST: usize = 1000;

/// One event.
#[derive(serde::Serialize)]
pub(super) struct Record<'a> {
    timestamp: String,
    level: &'static str,
    target: &'a str,
    message: String,
    fields: Fields,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    spans: Vec<SpanRecord>,
}

/// A span that an event happened in.
#[derive(serde::Serialize)]
pub(super) struct SpanRecord {
    name: &'static str,
    fields: Fields,
}

/// Names and values, each cut to a sensible length.
#[derive(Clone, Default)]
pub(super) struct Fields(Vec<(&'static str, Value)>);

impl<'a> Record<'a> {
    /// `spans` from the outermost to the innermost.
    pub(super) fn new(
        now: OffsetDateTime,
        level: Level,
        target: &'a str,
        mut fields: Fields,
        spans: Vec<SpanRecord>,
    ) -> Self {
        let message = fields.take_message();
        let timestamp = now.format(&Rfc3339).unwrap_or_default();
        Self {
            timestamp,
            level: level.as_str(),
            target,
            message,
            fields,
            spans,
        }
    }

    /// One line of JSON. No control character is in it as such.
    pub(super) fn json(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        let mut line = String::with_capacity(text.len() + 1);
        for character in text.chars() {
            if character.is_control() {
                let _ = write!(line, "\\u{:04x}", u32::from(character));
            } else {
                line.push(character);
            }
        }
        line.push('\n');
        line
    }

    /// One line for people. No control character is in it but those for colour.
    pub(super) fn pretty(&self, colour: bool) -> String {
        let mut line = String::new();
        let (dim, tint, plain) = if colour {
            ("\x1b[2m", tint(self.level), "\x1b[0m")
        } else {
            ("", "", "")
        };
        let (timestamp, level, target) = (&self.timestamp, self.level, self.target);
        let _ = write!(
            line,
            "{dim}{timestamp}{plain} {tint}{level:>5}{plain} {dim}{target}:{plain} "
        );
        push_escaped(&mut line, &self.message);
        for (name, value) in &self.fields.0 {
            let _ = write!(line, " {name}=");
            push_value(&mut line, value);
        }
        for span in &self.spans {
            let _ = write!(line, " {dim}{}{{", span.name);
            for (index, (name, value)) in span.fields.0.iter().enumerate() {
                let _ = write!(line, "{}{name}=", if index > 0 { " " } else { "" });
                push_value(&mut line, value);
            }
            let _ = write!(line, "}}{plain}");
        }
        line.push('\n');
        line
    }
}

impl SpanRecord {
    pub(super) fn new(name: &'static str, fields: Fields) -> Self {
        Self { name, fields }
    }
}

impl Fields {
    pub(super) fn message(text: String) -> Self {
        Self(vec![("message", Value::String(text))])
    }

    fn take_message(&mut self) -> String {
        let Some(at) = self.0.iter().position(|(name, _)| *name == "message") else {
            return String::new();
        };
        match self.0.remove(at).1 {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// A value recorded again takes the place of the first.
    fn set(&mut self, field: &Field, value: Value) {
        match self.0.iter_mut().find(|(name, _)| *name == field.name()) {
            Some(known) => known.1 = value,
            None => self.0.push((field.name(), value)),
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = Cut::default();
        // a value that is cut ends its own writing with an error
        let _ = write!(text, "{value:?}");
        self.set(field, Value::String(text.text));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let mut text = Cut::default();
        let _ = text.write_str(value);
        self.set(field, Value::String(text.text));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }
}

/// Takes the first [`LONGEST`] characters and no more.
#[derive(Default)]
struct Cut {
    text: String,
    characters: usize,
}

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.characters == LONGEST {
                self.text.push('…');
                return Err(fmt::Error);
            }
            self.text.push(character);
            self.characters += 1;
        }
        Ok(())
    }
}

fn tint(level: &str) -> &'static str {
    match level {
        "ERROR" => "\x1b[31m",
        "WARN" => "\x1b[33m",
        "INFO" => "\x1b[32m",
        _ => "\x1b[34m",
    }
}

/// As it is where it is a plain word, else in quotes.
fn push_value(line: &mut String, value: &Value) {
    let Value::String(text) = value else {
        let _ = write!(line, "{value}");
        return;
    };
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'=' | b'\\' | b'{' | b'}');
    if !text.is_empty() && text.bytes().all(plain) {
        line.push_str(text);
    } else {
        let _ = write!(line, "{text:?}");
    }
}

fn push_escaped(line: &mut String, text: &str) {
    for character in text.chars() {
        if matches!(character, '"' | '\'') {
            line.push(character);
        } else {
            line.extend(character.escape_debug());
        }
    }
}
