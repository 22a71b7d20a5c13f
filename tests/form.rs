//! Reads as much HTML as it takes to fill in a form: tags, attributes, ids, text.

/// One form of a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    /// As written; empty means the page's own address.
    pub(crate) action: String,
    /// What a browser sends without being asked: hidden fields, ticked boxes, text as it stands.
    pub(crate) fields: Vec<(String, String)>,
    /// The elements that have an id: (id, name, value).
    elements: Vec<(String, String, String)>,
}

impl Form {
    /// The forms of a page, in order.
    pub(crate) fn all(html: &str) -> Vec<Self> {
        let mut forms: Vec<Self> = Vec::new();
        let mut inside = false;
        for tag in tags(html) {
            match (tag.name.as_str(), inside) {
                ("form", _) => {
                    inside = true;
                    forms.push(Self {
                        action: tag.get("action"),
                        ..Self::default()
                    });
                }
                ("/form", _) => inside = false,
                ("input" | "button" | "textarea", true) => forms.last_mut().unwrap().take(&tag),
                _ => {}
            }
        }
        forms
    }

    /// The form that holds the element with this id.
    pub(crate) fn with_id(html: &str, id: &str) -> Option<Self> {
        Self::all(html)
            .into_iter()
            .find(|form| form.name_of(id).is_some())
    }

    /// The `name` of the element with this id.
    pub(crate) fn name_of(&self, id: &str) -> Option<&str> {
        self.elements
            .iter()
            .find(|(known, ..)| known == id)
            .map(|(_, name, _)| name.as_str())
    }

    /// Types `value` into the element with this id.
    #[track_caller]
    pub(crate) fn fill(&mut self, id: &str, value: &str) {
        let name = self
            .name_of(id)
            .unwrap_or_else(|| panic!("no #{id} in {self:?}"))
            .to_owned();
        self.set(&name, value);
    }

    /// Presses the button with this id.
    #[track_caller]
    pub(crate) fn press(&mut self, id: &str) {
        let button = self.elements.iter().find(|(known, ..)| known == id);
        let (_, name, value) = button.unwrap_or_else(|| panic!("no #{id} in {self:?}")).clone();
        if !name.is_empty() {
            self.set(&name, &value);
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    fn take(&mut self, tag: &Tag) {
        let (id, name, value) = (tag.get("id"), tag.get("name"), tag.get("value"));
        if !id.is_empty() {
            self.elements.push((id, name.clone(), value.clone()));
        }
        let sent = match tag.get("type").as_str() {
            _ if tag.name == "button" || name.is_empty() => false,
            "submit" | "button" | "image" | "reset" => false,
            "checkbox" | "radio" => tag.has("checked"),
            _ => true,
        };
        if sent {
            self.fields.push((
                name,
                if tag.name == "textarea" {
                    tag.text.clone()
                } else {
                    value
                },
            ));
        }
    }
}

/// The text of the element with this id, without the tags inside it.
pub(crate) fn text_of(html: &str, id: &str) -> Option<String> {
    let tag = tags(html).into_iter().find(|tag| tag.get("id") == id)?;
    Some(tag.text.trim().to_owned())
}

/// Where a page leads and what it loads: links, forms, styles and pictures; links within the page left out.
pub(crate) fn addresses(html: &str) -> Vec<String> {
    let attributes = tags(html).into_iter().flat_map(|tag| tag.attributes);
    attributes
        .filter(|(name, value)| matches!(name.as_str(), "href" | "src" | "action") && !value.starts_with('#'))
        .map(|(_, value)| value)
        .collect()
}

#[derive(Debug)]
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    /// What stands between this tag and the next one.
    text: String,
}

impl Tag {
    fn get(&self, name: &str) -> String {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|(known, _)| known == name)
    }
}

fn tags(html: &str) -> Vec<Tag> {
    let mut rest = html;
    let mut tags = Vec::new();
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let end = tag_end(rest);
        let (name, attributes) = split_tag(&rest[..end]);
        rest = rest.get(end + 1..).unwrap_or_default();
        let text = decode(&rest[..rest.find('<').unwrap_or(rest.len())]);
        tags.push(Tag {
            name,
            attributes,
            text,
        });
    }
    tags
}

/// Where the `>` is that closes the tag, quotes respected.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    text.len()
}

fn split_tag(text: &str) -> (String, Vec<(String, String)>) {
    let (name, mut rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return (name.trim_end_matches('/').to_lowercase(), attributes);
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || c == '=')
            .unwrap_or(rest.len());
        let key = rest[..end].to_lowercase();
        rest = rest[end..].trim_start();
        let Some(after) = rest.strip_prefix('=') else {
            attributes.push((key, String::new()));
            continue;
        };
        let (value, after) = attribute_value(after.trim_start());
        attributes.push((key, decode(value)));
        rest = after;
    }
}

fn attribute_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

/// Text with its character references resolved.
fn decode(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let known = after
            .split_once(';')
            .and_then(|(name, tail)| Some((character(name)?, tail)));
        let (character, tail) = known.unwrap_or(('&', after));
        decoded.push(character);
        rest = tail;
    }
    decoded + rest
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[test]
fn a_form_is_read_as_a_browser_reads_it() {
    let html = r#"<!-- <form> --><form method="post" action="/go?a=1&amp;b=2">
        <input type=hidden name="csrf" value="&#x27;x&#39;&quot;>"><input id="name" name='n' value="old">
        <input type="checkbox" name="off" value="1"><input type="checkbox" name="on" value="1" checked>
        <textarea name="t">a &lt; b</textarea>
        <button id="yes" name="decision" value="allow">Yes</button><button id="no" name="decision" value="deny">No</button>
        </form><p id="code">tgc_&amp;x</p>"#;
    let mut form = Form::with_id(html, "yes").unwrap();
    form.fill("name", "new");
    form.press("no");
    assert_eq!(form.action, "/go?a=1&b=2");
    let fields: Vec<_> = form
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        fields,
        [
            ("csrf", "'x'\">"),
            ("on", "1"),
            ("t", "a < b"),
            ("n", "new"),
            ("decision", "deny")
        ]
    );
    assert_eq!(text_of(html, "code").as_deref(), Some("tgc_&x"));
    assert_eq!(Form::with_id(html, "code").map(|form| form.action), None);
}
