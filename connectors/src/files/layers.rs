//! From the bytes of a file to UTF-8: what compressed them and in which encoding their text is, taken off while reading, so
//! that no more than a few buffers are in memory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16LE};
use tidebook_plan::connector::{ConnectorError, OptionKind, OptionSpec, OptionValue, Options};

/// Bytes that are transcoded at once.
const CHUNK: usize = 64 << 10;
/// Bytes that tell how a file is compressed and encoded, and how its lines end.
const HEAD: usize = 16 << 10;

/// What the options `compression`, `encoding` and `newline` say.
#[derive(Clone, Copy, Debug)]
pub struct Layers {
    compression: Option<Compression>,
    encoding: &'static Encoding,
    /// Whether a carriage return alone ends a line; `None` lets the file say.
    carriage_returns: Option<bool>,
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// Members of gzip, one after the other.
    Gzip,
    /// Frames of zstd, one after the other.
    Zstd,
}

/// A file's bytes as UTF-8.
pub struct Bytes {
    /// The bytes.
    pub reader: Box<dyn Read + Send>,
    /// True if they are those of the file itself, so that positions in them are positions in the file.
    pub plain: bool,
    /// The encoding that the file's text should be in.
    pub encoding: &'static str,
}

/// The options that [`Layers`] reads.
pub fn options() -> [OptionSpec; 2] {
    [
        OptionSpec::optional(
            "compression",
            OptionKind::OneOf(&["auto", "none", "gzip", "zstd"]),
            "How the files are compressed; `auto` goes by the ending of the name (`.gz`, `.zst`), else by the first bytes.",
        )
        .or(OptionValue::Text("auto".to_string())),
        OptionSpec::optional(
            "encoding",
            OptionKind::Text,
            "The encoding of the text by its name on the web: `utf-8`, `utf-16le`, `latin1`, `windows-1252`, `shift_jis` or another.",
        )
        .or(OptionValue::Text("utf-8".to_string())),
    ]
}

impl Layers {
    /// What the options say.
    ///
    /// # Errors
    /// Where the encoding is unknown.
    pub fn new(options: &Options) -> Result<Layers, ConnectorError> {
        let compression = match options.text("compression") {
            Some("none") => Some(Compression::None),
            Some("gzip") => Some(Compression::Gzip),
            Some("zstd") => Some(Compression::Zstd),
            _ => None,
        };
        let label = options.text("encoding").unwrap_or("utf-8");
        let encoding = match label.to_ascii_lowercase().as_str() {
            // Without a mark UTF-16 is most often that of Windows.
            "utf-16" | "utf16" => UTF_16LE,
            "utf8" => UTF_8,
            label => Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(|| ConnectorError::Option {
                option: "encoding",
                message: format!(
                    "unknown encoding `{label}`: expected `utf-8`, `utf-16le`, `latin1`, `windows-1252`, …"
                ),
            })?,
        };
        let carriage_returns = match options.text("newline") {
            Some("cr") => Some(true),
            Some("lf" | "crlf") => Some(false),
            _ => None,
        };
        Ok(Layers { compression, encoding, carriage_returns })
    }

    /// The bytes of `file`, which stands at its start, without what covers them. Where that is damaged, reading says so.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn open(&self, path: &Path, file: &Arc<File>) -> io::Result<Bytes> {
        let mut head = Vec::new();
        file.as_ref().take(HEAD as u64).read_to_end(&mut head)?;
        file.as_ref().rewind()?;
        let compression = self.compression.unwrap_or_else(|| Compression::guess(path, &head));
        let raw = Arc::clone(file);
        let reader: Box<dyn Read + Send> = match compression {
            Compression::None => {
                let encoding = Encoding::for_bom(&head).map_or(self.encoding, |(marked, _)| marked);
                return Ok(if encoding == UTF_8 && !self.ends_lines_with_carriage_returns(&head) {
                    Bytes { reader: Box::new(raw), plain: true, encoding: encoding.name() }
                } else {
                    self.text(Box::new(raw), encoding, &head)?
                });
            }
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(CHUNK, raw))),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(raw)?),
        };
        let (head, reader) = peek(reader)?;
        let encoding = Encoding::for_bom(&head).map_or(self.encoding, |(marked, _)| marked);
        self.text(reader, encoding, &head)
    }

    /// Text of which `head` are the first bytes, as UTF-8 with newlines.
    fn text(&self, raw: Box<dyn Read + Send>, encoding: &'static Encoding, head: &[u8]) -> io::Result<Bytes> {
        let (head, mut reader) =
            if encoding == UTF_8 { (head.to_vec(), raw) } else { peek(Box::new(Transcoded::new(raw, encoding)))? };
        if self.ends_lines_with_carriage_returns(&head) {
            reader = Box::new(CarriageReturns(reader));
        }
        Ok(Bytes { reader, plain: false, encoding: encoding.name() })
    }

    /// True for text that begins with carriage returns and without newlines, unless the options say otherwise.
    fn ends_lines_with_carriage_returns(&self, head: &[u8]) -> bool {
        self.carriage_returns.unwrap_or_else(|| {
            memchr::memchr(b'\r', head).is_some_and(|at| at + 1 < head.len()) && memchr::memchr(b'\n', head).is_none()
        })
    }
}

impl Compression {
    /// By the ending of the name, else by the first bytes, which no text begins with.
    fn guess(path: &Path, head: &[u8]) -> Compression {
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        match ending.to_str() {
            Some("gz" | "gzip") => Compression::Gzip,
            Some("zst" | "zstd") => Compression::Zstd,
            _ if head.starts_with(&[0x1F, 0x8B, 8]) => Compression::Gzip,
            _ if head.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) => Compression::Zstd,
            _ => Compression::None,
        }
    }
}

/// The first bytes, and a reader of all bytes. What is damaged is found again by who reads on.
fn peek(mut reader: Box<dyn Read + Send>) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::new();
    let damage = match reader.by_ref().take(HEAD as u64).read_to_end(&mut head) {
        Ok(_) => None,
        Err(error) if error.raw_os_error().is_some() => return Err(error),
        Err(error) => Some(error),
    };
    let first = io::Cursor::new(head.clone());
    Ok((head, if damage.is_some() { Box::new(first.chain(Damaged(damage))) } else { Box::new(first.chain(reader)) }))
}

/// A reader that fails once.
struct Damaged(Option<io::Error>);

impl Read for Damaged {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Text of another encoding as UTF-8. What is no text becomes a byte that UTF-8 does not have, so that the format finds it
/// in the record where it stands.
struct Transcoded<R> {
    input: R,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    /// UTF-8 that was made and not yet taken.
    made: Vec<u8>,
    taken: usize,
    flushed: bool,
}

/// Never part of UTF-8.
const NO_TEXT: u8 = 0xFF;

impl<R: Read> Transcoded<R> {
    fn new(input: R, encoding: &'static Encoding) -> Transcoded<R> {
        Transcoded {
            input,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; CHUNK],
            start: 0,
            end: 0,
            ended: false,
            made: Vec::new(),
            taken: 0,
            flushed: false,
        }
    }

    fn make(&mut self) -> io::Result<()> {
        if self.start == self.end && !self.ended {
            self.end = self.input.read(&mut self.raw)?;
            self.start = 0;
            self.ended = self.end == 0;
        }
        self.made.resize(4 * CHUNK, 0);
        self.taken = 0;
        let raw = &self.raw[self.start..self.end];
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(raw, &mut self.made, self.ended);
        self.start += read;
        self.made.truncate(written);
        match result {
            DecoderResult::Malformed(_, _) => self.made.push(NO_TEXT),
            DecoderResult::InputEmpty => self.flushed = self.ended,
            DecoderResult::OutputFull => {}
        }
        Ok(())
    }
}

impl<R: Read> Read for Transcoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.made.len() {
            if self.flushed {
                return Ok(0);
            }
            self.make()?;
        }
        let length = buffer.len().min(self.made.len() - self.taken);
        buffer[..length].copy_from_slice(&self.made[self.taken..self.taken + length]);
        self.taken += length;
        Ok(length)
    }
}

/// Lines that end with a carriage return alone, as newlines.
struct CarriageReturns<R>(R);

impl<R: Read> Read for CarriageReturns<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read(buffer)?;
        buffer[..length].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        Ok(length)
    }
}
