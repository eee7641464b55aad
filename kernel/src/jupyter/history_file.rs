//! The file in which inputs outlive their session: a line of JSON each, shared by all kernels of a user.
//!
//! A kernel sees the inputs of its own folder, since names, paths and tables of another project are no use to it. Sessions
//! are numbered across all folders.
//!
//! A kernel opens the file only to append a line or to read it, under a lock that lies beside it; so the file can be
//! shortened by replacing it, and no kernel ever writes to one that is gone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A file that has grown beyond this many bytes is shortened to the newer half of its lines when a session begins.
const MAX_BYTES: u64 = 16 << 20;

/// Inputs longer than this many bytes are left out: a cell with data in it is no use in a history.
const MAX_INPUT: usize = 256 << 10;

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Input {
        folder: PathBuf,
        #[serde(flatten)]
        entry: Entry,
    },
    /// A session has begun: its number is taken, even before its first input.
    Begin { session: i64 },
}

/// An input of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Number of the session, from 1.
    pub session: i64,
    /// Its execution count.
    pub line: i64,
    /// Its text.
    pub input: String,
}

/// The file; it need not be there yet.
#[derive(Clone, Debug)]
pub struct HistoryFile {
    path: PathBuf,
    folder: PathBuf,
}

impl HistoryFile {
    /// The file at `path`, as a session that runs in `folder` sees it.
    pub fn new(path: PathBuf, folder: PathBuf) -> Self {
        HistoryFile { path, folder }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the next free number for a session.
    ///
    /// # Errors
    /// Where the file cannot be read or written.
    pub fn begin_session(&self) -> io::Result<i64> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let _lock = self.lock(true)?;
        let lines = self.lines()?;
        let number = |line: &Line| match line {
            Line::Input { entry: Entry { session, .. }, .. } | Line::Begin { session } => *session,
        };
        let session = lines.iter().map(number).max().unwrap_or(0).max(0).saturating_add(1);
        if self.path.metadata().is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
            self.replace(&lines[lines.len() / 2..])?;
        }
        self.write(&Line::Begin { session })?;
        Ok(session)
    }

    /// Appends an input.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn append(&self, entry: &Entry) -> io::Result<()> {
        if entry.input.len() > MAX_INPUT {
            return Ok(());
        }
        let _lock = self.lock(true)?;
        self.write(&Line::Input { folder: self.folder.clone(), entry: entry.clone() })
    }

    /// All inputs of the folder, oldest first.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn read(&self) -> io::Result<Vec<Entry>> {
        let _lock = self.lock(false)?;
        let inputs = self.lines()?.into_iter().filter_map(|line| match line {
            Line::Input { folder, entry } if folder == self.folder => Some(entry),
            Line::Input { .. } | Line::Begin { .. } => None,
        });
        Ok(inputs.collect())
    }

    /// Holds the lock until the file that it gives is dropped.
    fn lock(&self, exclusive: bool) -> io::Result<File> {
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(self.path.with_extension("lock"))?;
        if exclusive {
            lock.lock()?
        } else {
            lock.lock_shared()?
        }
        Ok(lock)
    }

    /// The lines that can be read. Others (a disk that was full, another program) are passed over.
    fn lines(&self) -> io::Result<Vec<Line>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut lines = Vec::new();
        for bytes in BufReader::new(file).split(b'\n') {
            lines.extend(serde_json::from_slice::<Line>(&bytes?).ok());
        }
        Ok(lines)
    }

    /// Appends a line. What a full disk or a crash has torn off before is ended first: that line is lost, this one is not.
    fn write(&self, line: &Line) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).append(true).read(true);
        private(&mut options);
        let mut file = options.open(&self.path)?;
        let mut bytes = encoded(line)?;
        if is_torn(&mut file)? {
            bytes.insert(0, b'\n');
        }
        file.write_all(&bytes)
    }

    fn replace(&self, lines: &[Line]) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        private(&mut options);
        let mut file = io::BufWriter::new(options.open(&fresh)?);
        for line in lines {
            file.write_all(&encoded(line)?)?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(fresh, &self.path)
    }
}

/// True if the last line has no end.
fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(io::SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// A line with its newline, to be written at once.
fn encoded(line: &Line) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Inputs may hold what is nobody else's business.
fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(session: i64, line: i64, input: &str) -> Entry {
        Entry { session, line, input: input.to_string() }
    }

    #[test]
    fn lines_of_other_hands_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = HistoryFile::new(folder.path().join("history.jsonl"), "/home".into());
        assert_eq!(file.begin_session().unwrap(), 1);
        file.append(&entry(1, 1, "a\nb")).unwrap();
        let mut damaged = fs::read(file.path()).unwrap();
        damaged.extend(b"{\"session\": 1, \"li\n\xff\xfe\n[]\n");
        fs::write(file.path(), damaged).unwrap();
        assert_eq!(file.begin_session().unwrap(), 2);
        file.append(&entry(2, 1, "é")).unwrap();
        let elsewhere = HistoryFile::new(file.path().to_path_buf(), "/elsewhere".into());
        elsewhere.append(&entry(3, 1, "not here")).unwrap();
        assert_eq!(elsewhere.read().unwrap(), vec![entry(3, 1, "not here")]);
        assert_eq!(file.read().unwrap(), vec![entry(1, 1, "a\nb"), entry(2, 1, "é")]);
    }

    #[test]
    fn a_line_that_was_torn_off_takes_no_other_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = HistoryFile::new(folder.path().join("history.jsonl"), "/home".into());
        let session = file.begin_session().unwrap();
        file.append(&entry(session, 1, "whole")).unwrap();
        file.append(&entry(session, 2, "torn")).unwrap();
        let length = fs::metadata(file.path()).unwrap().len();
        OpenOptions::new().write(true).open(file.path()).unwrap().set_len(length - 5).unwrap();
        file.append(&entry(session, 3, "next")).unwrap();
        file.append(&entry(session, 4, "and on")).unwrap();
        let kept: Vec<i64> = file.read().unwrap().iter().map(|entry| entry.line).collect();
        assert_eq!(kept, [1, 3, 4]);
    }

    #[test]
    fn sessions_that_begin_at_once_get_different_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let file = HistoryFile::new(folder.path().join("history.jsonl"), "/home".into());
        let starting: Vec<_> = (0..8)
            .map(|_| {
                let file = file.clone();
                std::thread::spawn(move || {
                    let session = file.begin_session().unwrap();
                    (1..=20).for_each(|line| file.append(&entry(session, line, "x")).unwrap());
                    session
                })
            })
            .collect();
        let mut numbers: Vec<i64> = starting.into_iter().map(|thread| thread.join().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
        assert_eq!(file.read().unwrap().len(), 160);
    }

    #[test]
    fn a_long_file_is_shortened_and_its_numbers_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = HistoryFile::new(folder.path().join("history.jsonl"), "/home".into());
        let session = file.begin_session().unwrap();
        let long = "x".repeat(MAX_INPUT);
        let lines = i64::try_from(MAX_BYTES).unwrap() / i64::try_from(MAX_INPUT).unwrap() + 1;
        (1..=lines).for_each(|line| file.append(&entry(session, line, &long)).unwrap());
        file.append(&entry(session, lines + 1, &"y".repeat(MAX_INPUT + 1))).unwrap();
        assert_eq!(file.begin_session().unwrap(), 2);
        let kept = file.read().unwrap();
        assert!(kept.len() as i64 <= lines / 2 + 1);
        assert_eq!(kept.last().map(|entry| entry.line), Some(lines), "the newest are kept; what is too long never was");
    }
}
