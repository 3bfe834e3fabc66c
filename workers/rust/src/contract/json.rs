//! A JSON reader for untrusted text. serde_json would do, but for three things that the contract
//! asks for: it names the field with an unpaired surrogate, it sees a name that is given twice,
//! and it keeps how a number was spelt.

use std::borrow::Cow;
use std::collections::HashSet;

use super::ContractError;
use super::quoted;
use super::scalars::number_length;

/// How deep a text may nest. The contract asks for 64 levels at least.
const MAX_DEPTH: usize = 256;

#[derive(Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    /// As it is spelt.
    Number(&'a str),
    Text {
        text: Cow<'a, str>,
        /// It has a surrogate without its other half.
        unpaired: bool,
    },
    List(Vec<Value<'a>>),
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl Value<'_> {
    /// What it is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a bool",
            Value::Number(_) => "a number",
            Value::Text { .. } => "text",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }
}

/// Reads one JSON value and nothing else.
pub(super) fn parse(data: &[u8]) -> Result<Value<'_>, ContractError> {
    let text = std::str::from_utf8(data)
        .map_err(|_| ContractError::new("invalid_utf8", "", "expected UTF-8"))?;
    let mut parser = Parser { text, at: 0, path: Vec::new(), repeated: None };
    let found = parser.value(0)?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.wrong("text after it"));
    }
    if let Some((_, path)) = parser.repeated {
        let problem = "the name is there twice in one object";
        return Err(ContractError::new("duplicate_key", &path, problem));
    }
    Ok(found)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// The way to the value that is read.
    path: Vec<Step<'a>>,
    /// A name that is there twice: where its object opens, and its path.
    repeated: Option<(usize, String)>,
}

enum Step<'a> {
    Name(Cow<'a, str>),
    Index(usize),
}

impl<'a> Parser<'a> {
    fn wrong(&self, problem: &str) -> ContractError {
        let problem = format!("expected one JSON value: {problem} at byte {}", self.at);
        ContractError::new("invalid_json", "", problem)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    /// Takes a text after white space, if it is there.
    fn take(&mut self, text: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, ContractError> {
        if depth > MAX_DEPTH {
            return Err(ContractError::new("too_deep", "", "nested deeper than is read"));
        }
        if self.take("{") {
            return self.object(depth);
        }
        if self.take("[") {
            return self.list(depth);
        }
        if self.rest().starts_with('"') {
            let (text, unpaired) = self.quoted()?;
            return Ok(Value::Text { text, unpaired });
        }
        for (word, value) in
            [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))]
        {
            if self.take(word) {
                return Ok(value);
            }
        }
        let rest = self.rest();
        let length = number_length(rest);
        if length == 0 {
            return Err(self.wrong("something else"));
        }
        self.at += length;
        Ok(Value::Number(&rest[..length]))
    }

    fn quoted(&mut self) -> Result<(Cow<'a, str>, bool), ContractError> {
        let read = quoted::read(self.rest()).map_err(|problem| self.wrong(problem))?;
        self.at += read.length;
        Ok((read.text, read.unpaired))
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, ContractError> {
        let opened = self.at;
        let mut members = Vec::new();
        let mut names = HashSet::new();
        if self.take("}") {
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            if !self.rest().starts_with('"') {
                return Err(self.wrong("no name"));
            }
            let (name, _) = self.quoted()?;
            self.path.push(Step::Name(name.clone()));
            if !names.insert(name.clone()) {
                self.repeats(opened);
            }
            if !self.take(":") {
                return Err(self.wrong("no colon"));
            }
            members.push((name, self.value(depth + 1)?));
            self.path.pop();
            if self.take("}") {
                return Ok(Value::Object(members));
            }
            if !self.take(",") {
                return Err(self.wrong("no comma"));
            }
        }
    }

    /// Notes that the name just read is there twice, in the object that was opened there. Of
    /// several, that of the object opened first is kept.
    fn repeats(&mut self, opened: usize) {
        if self.repeated.as_ref().is_none_or(|(first, _)| opened < *first) {
            self.repeated = Some((opened, written(&self.path)));
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value<'a>, ContractError> {
        let mut items = Vec::new();
        if self.take("]") {
            return Ok(Value::List(items));
        }
        loop {
            self.path.push(Step::Index(items.len()));
            items.push(self.value(depth + 1)?);
            self.path.pop();
            if self.take("]") {
                return Ok(Value::List(items));
            }
            if !self.take(",") {
                return Err(self.wrong("no comma"));
            }
        }
    }
}

/// A path in words, of ASCII and not too long.
fn written(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            Step::Name(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.extend(name.escape_default().take(64));
            }
        }
    }
    text
}
