//! Files on their way to their place.

use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// A hidden file beside `path`, with the permissions that the file at `path` has or a new one would get: temporary files
/// are private otherwise.
///
/// # Errors
/// Where it cannot be made.
pub fn part_file(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.");
    let mut builder = tempfile::Builder::new();
    // A hidden name, which no wildcard of a watched folder matches.
    builder.prefix(&prefix).suffix(".part");
    #[cfg(unix)]
    let new = Some(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    #[cfg(not(unix))]
    let new = None;
    if let Some(permissions) = std::fs::metadata(path).ok().map(|metadata| metadata.permissions()).or(new) {
        builder.permissions(permissions);
    }
    builder.tempfile_in(path.parent().unwrap_or(path))
}

/// Waits until the names in a folder are on the disk, where the system can do that.
///
/// # Errors
/// Where it cannot be done.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
