//! `tidebook uninstall`: removes what `tidebook install` wrote, and nothing else.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Failure;
use super::kernelspec::{self, Found, LOGOS, Place, SPEC};
use crate::language;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The name under which the kernel was installed.
    #[arg(long, value_name = "NAME", default_value = language::NAME, value_parser = kernelspec::name)]
    name: String,
}

/// What became of the kernelspec.
#[derive(Debug, PartialEq, Eq)]
pub enum Uninstalled {
    /// It is gone.
    Removed {
        /// Its folder.
        folder: PathBuf,
        /// The files that were removed.
        files: Vec<&'static str>,
        /// True if somebody else's files are in the folder, which therefore stays.
        has_others: bool,
    },
    /// There was none, as it should be.
    Nothing {
        /// Where it would have been.
        folder: PathBuf,
        /// Where else Jupyter finds one.
        elsewhere: Vec<PathBuf>,
    },
}

/// Removes the kernelspec.
pub fn run(arguments: &Arguments) -> Result<Uninstalled, Failure> {
    let folder = arguments.place.folder(&arguments.name)?;
    let found = kernelspec::look(&folder)
        .map_err(|error| Failure::runtime(format!("cannot read `{}`: {error}", folder.join(SPEC).display())))?;
    let shown = folder.display();
    match found {
        Found::Installed => {
            let failed = |error: io::Error| Failure::runtime(format!("cannot remove `{shown}`: {error}"));
            let files = remove(&folder).map_err(failed)?;
            let has_others = match fs::remove_dir(&folder) {
                Ok(()) => false,
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => true,
                Err(error) => return Err(failed(error)),
            };
            Ok(Uninstalled::Removed { folder, files, has_others })
        }
        Found::Nothing => {
            let others = kernelspec::candidates(&arguments.name).into_iter();
            // A folder that cannot be read is no place to point to.
            let is_ours = |folder: &PathBuf| matches!(kernelspec::look(folder), Ok(Found::Installed | Found::Wheel));
            let elsewhere = others.filter(|other| *other != folder && is_ours(other)).collect();
            Ok(Uninstalled::Nothing { folder, elsewhere })
        }
        Found::Wheel => Err(Failure::runtime(format!(
            "the kernel in `{shown}` came with the Python package: `pip uninstall tidebook` removes both"
        ))),
        Found::Other(other) => {
            Err(Failure::runtime(format!("`{shown}` holds another kernel, `{other}`; it is left alone")))
        }
    }
}

/// Removes the files of a kernelspec, the one that makes it one first.
fn remove(folder: &Path) -> io::Result<Vec<&'static str>> {
    let mut removed = Vec::new();
    for name in std::iter::once(SPEC).chain(LOGOS.iter().map(|(name, _)| *name)) {
        match fs::remove_file(folder.join(name)) {
            Ok(()) => removed.push(name),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}

/// What people are told.
pub fn message(uninstalled: &Uninstalled) -> String {
    match uninstalled {
        Uninstalled::Removed { folder, files, has_others } => {
            let mut text = format!("removed the kernel from {}: {}", folder.display(), files.join(", "));
            if *has_others {
                text.push_str("\nthe folder stays: there are files in it that `tidebook install` did not write");
            }
            text
        }
        Uninstalled::Nothing { folder, elsewhere } => {
            let mut text = format!("the kernel is not installed in {}: nothing to remove", folder.display());
            for other in elsewhere {
                text.push_str(&format!("\nJupyter finds one in {}", other.display()));
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::install::tests::install;
    use super::*;

    fn uninstall(prefix: &Path, name: &str) -> Result<Uninstalled, Failure> {
        let place = Place { prefix: Some(prefix.to_path_buf()), ..Place::default() };
        run(&Arguments { place, name: name.to_string() })
    }

    fn spec_folder(prefix: &Path) -> PathBuf {
        prefix.join("share/jupyter/kernels/tide")
    }

    #[test]
    fn what_was_installed_goes_and_a_second_time_there_is_nothing() {
        let prefix = tempfile::tempdir().unwrap();
        let kernels = prefix.path().join("share/jupyter/kernels");
        install(prefix.path(), &["--name", "other"]).unwrap();
        install(prefix.path(), &[]).unwrap();
        let removed = uninstall(prefix.path(), "tide").unwrap();
        assert!(message(&removed).ends_with(": kernel.json, logo-32x32.png, logo-64x64.png, logo-svg.svg"));
        assert!(!kernels.join("tide").exists() && kernels.join("other").exists());
        let again = uninstall(prefix.path(), "tide").unwrap();
        assert!(matches!(again, Uninstalled::Nothing { .. }), "{again:?}");
        assert!(message(&again).contains("nothing to remove"));
    }

    #[test]
    fn files_of_others_stay() {
        let prefix = tempfile::tempdir().unwrap();
        install(prefix.path(), &[]).unwrap();
        let folder = spec_folder(prefix.path());
        fs::write(folder.join("notes.txt"), "mine").unwrap();
        let removed = uninstall(prefix.path(), "tide").unwrap();
        assert!(message(&removed).contains("the folder stays"));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn other_kernels_and_the_wheels_stay() {
        let prefix = tempfile::tempdir().unwrap();
        let folder = spec_folder(prefix.path());
        fs::create_dir_all(&folder).unwrap();
        let wheel = include_str!("../../python/tidebook.data/data/share/jupyter/kernels/tide/kernel.json");
        for (text, told) in [(wheel, "pip uninstall tidebook"), ("{}", "another kernel")] {
            fs::write(folder.join(SPEC), text).unwrap();
            let failure = uninstall(prefix.path(), "tide").unwrap_err();
            assert_eq!(failure.code, 1);
            assert!(failure.message.contains(told), "{}", failure.message);
            assert!(folder.join(SPEC).exists());
        }
    }
}
