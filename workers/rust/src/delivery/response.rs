//! Answers of HTTP/1.1.

use std::io::{self, BufRead, BufReader, Read};

use super::connection::{Failure, Limited};

const MAX_HEAD_BYTES: u64 = 64 << 10;
const MAX_BODY_BYTES: u64 = 1 << 20;

/// An answer as it came.
pub(super) struct Raw {
    pub status: u16,
    pub reason: String,
    pub headers: Vec<(String, String)>,
    /// Empty where it could not be read whole: it is for people, or an acknowledgement.
    pub body: Vec<u8>,
    /// The connection can carry another request.
    pub reusable: bool,
}

impl Raw {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Reads one answer.
pub(super) fn read(from: &mut Limited<'_>) -> Result<Raw, Failure> {
    let mut reader = BufReader::new(from);
    loop {
        let found = head(&mut reader)?;
        if !(100..200).contains(&found.status) {
            return Ok(finish(found, &mut reader));
        }
    }
}

fn finish(mut found: Raw, reader: &mut impl BufRead) -> Raw {
    match body(&found, reader) {
        Ok((body, delimited)) => {
            found.body = body;
            found.reusable &= delimited;
        }
        Err(_) => found.reusable = false,
    }
    found
}

fn head(reader: &mut impl BufRead) -> Result<Raw, Failure> {
    let mut lines = Vec::new();
    let mut limited = reader.take(MAX_HEAD_BYTES);
    loop {
        let mut line = Vec::new();
        let result = limited.read_until(b'\n', &mut line);
        let silent = lines.is_empty() && line.is_empty();
        let failed = |problem: String| Failure { problem, silent };
        result.map_err(|error| failed(error.to_string()))?;
        if line.pop() != Some(b'\n') {
            return Err(failed("the connection ended before the answer did".to_owned()));
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    parse(&lines).ok_or_else(|| Failure { problem: "no answer of HTTP".to_owned(), silent: false })
}

fn parse(lines: &[String]) -> Option<Raw> {
    let (first, rest) = lines.split_first()?;
    let mut words = first.splitn(3, ' ');
    let version = words.next()?.strip_prefix("HTTP/1.")?;
    let status = words.next()?.parse().ok()?;
    let headers: Vec<(String, String)> = rest
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    let connection = find(&headers, "Connection").unwrap_or_default().to_ascii_lowercase();
    let reusable = version != "0" && !connection.contains("close");
    let reason = words.next().unwrap_or_default().chars().take(100).collect();
    Some(Raw { status, reason, headers, body: Vec::new(), reusable })
}

/// The body, and whether its end is known other than by the connection's.
fn body(of: &Raw, reader: &mut impl BufRead) -> io::Result<(Vec<u8>, bool)> {
    if matches!(of.status, 204 | 304) {
        return Ok((Vec::new(), true));
    }
    if of.header("Transfer-Encoding").is_some() {
        return Ok((chunks(reader)?, true));
    }
    let mut body = Vec::new();
    let Some(length) = of.header("Content-Length") else {
        reader.take(MAX_BODY_BYTES).read_to_end(&mut body)?;
        return Ok((body, false));
    };
    let length = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
    exactly(reader, length, &mut body)?;
    Ok((body, true))
}

fn chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = short_line(reader)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        if size == 0 {
            while !short_line(reader)?.trim().is_empty() {}
            return Ok(body);
        }
        exactly(reader, size, &mut body)?;
        short_line(reader)?;
    }
}

fn exactly(reader: &mut impl BufRead, length: u64, into: &mut Vec<u8>) -> io::Result<()> {
    if into.len() as u64 + length > MAX_BODY_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let read = reader.take(length).read_to_end(into)?;
    if read as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn short_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.take(1024).read_until(b'\n', &mut line)?;
    if line.pop() == Some(b'\n') {
        Ok(String::from_utf8_lossy(&line).into_owned())
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}
