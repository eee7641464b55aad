//! The kernelspec, which tells Jupyter how to start this program: its files, and the folders in which Jupyter looks.
//!
//! The wheel carries the same files, with a `kernel.json` that finds the program beside it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use serde_json::{Map, Value, json};

use super::Failure;
use crate::language;

/// The file that says how the kernel is started.
pub const SPEC: &str = "kernel.json";

/// The pictures beside it.
pub const LOGOS: [(&str, &[u8]); 3] = [
    ("logo-32x32.png", include_bytes!("../../python/tidebook.data/data/share/jupyter/kernels/tide/logo-32x32.png")),
    ("logo-64x64.png", include_bytes!("../../python/tidebook.data/data/share/jupyter/kernels/tide/logo-64x64.png")),
    ("logo-svg.svg", include_bytes!("../../python/tidebook.data/data/share/jupyter/kernels/tide/logo-svg.svg")),
];

/// What stands in the wheel's `kernel.json` for the folder of that file.
const WHEEL_FOLDER: &str = "{resource_dir}";

/// For whom the kernel is installed.
#[derive(Debug, Default, clap::Args)]
#[group(multiple = false)]
pub struct Place {
    /// For this user (the default).
    #[arg(long)]
    pub user: bool,
    /// For the Python environment that is active.
    #[arg(long)]
    pub sys_prefix: bool,
    /// Below this folder, in share/jupyter/kernels.
    #[arg(long, value_name = "P")]
    pub prefix: Option<PathBuf>,
}

impl Place {
    /// The folder of the kernelspec called `name`.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let data = match (&self.prefix, self.sys_prefix) {
            (Some(prefix), _) => prefix.join("share/jupyter"),
            (None, true) => environment_prefix()?.join("share/jupyter"),
            (None, false) => {
                data_folder().ok_or_else(|| Failure::usage("`HOME` is not set; give a folder with --prefix"))?
            }
        };
        Ok(data.join("kernels").join(name))
    }
}

/// Reads the name of a kernelspec: what Jupyter takes for one.
pub fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match !text.is_empty() && !text.starts_with('.') && text.chars().all(fits) {
        true => Ok(text.to_string()),
        false => Err("a kernel's name has letters, digits, `-`, `_` and `.` only".to_string()),
    }
}

/// The contents of `kernel.json` for the program at `program`.
pub fn spec(program: &Path, display_name: &str, variables: &[(String, String)]) -> Value {
    let mut spec = json!({
        "argv": [program.to_string_lossy(), "kernel", "--connection-file", "{connection_file}"],
        "display_name": display_name,
        "language": language::NAME,
        "interrupt_mode": "message",
        "metadata": {"debugger": false},
    });
    if !variables.is_empty() {
        spec["env"] = variables.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>().into();
    }
    spec
}

/// What a folder for a kernelspec holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// No kernelspec.
    Nothing,
    /// One that `tidebook install` wrote.
    Installed,
    /// One that came with the Python package.
    Wheel,
    /// One of another kernel, with the name that people see.
    Other(String),
}

/// Looks into the folder of a kernelspec.
///
/// # Errors
/// Where it cannot be read.
pub fn look(folder: &Path) -> io::Result<Found> {
    let text = match fs::read_to_string(folder.join(SPEC)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    let spec: Value = serde_json::from_str(&text).unwrap_or_default();
    let argument = |at: usize| spec["argv"][at].as_str().unwrap_or_default();
    let is_ours = spec["language"] == language::NAME && argument(1) == "kernel" && argument(2) == "--connection-file";
    Ok(match (is_ours, argument(0).starts_with(WHEEL_FOLDER)) {
        (true, false) => Found::Installed,
        (true, true) => Found::Wheel,
        (false, _) => Found::Other(spec["display_name"].as_str().unwrap_or("no name").to_string()),
    })
}

/// Every folder in which Jupyter may find the kernelspec called `name`.
pub fn candidates(name: &str) -> Vec<PathBuf> {
    let listed = env::var_os("JUPYTER_PATH");
    let mut data: Vec<PathBuf> =
        listed.iter().flat_map(env::split_paths).filter(|p| !p.as_os_str().is_empty()).collect();
    data.extend(data_folder());
    data.extend(active_prefix().map(|prefix| prefix.join("share/jupyter")));
    data.extend(["/usr/local/share/jupyter", "/usr/share/jupyter"].map(PathBuf::from));
    let mut folders: Vec<PathBuf> = data.into_iter().map(|data| data.join("kernels").join(name)).collect();
    let mut seen = Vec::new();
    folders.retain(|folder| {
        !seen.contains(folder) && {
            seen.push(folder.clone());
            true
        }
    });
    folders
}

/// The folder of the active Python environment: the one that the shell has activated, the one that this program lies
/// in, or that of the first Python on the path.
fn environment_prefix() -> Result<PathBuf, Failure> {
    if let Some(prefix) = active_prefix() {
        return Ok(prefix);
    }
    let asked = Command::new("python3").args(["-c", "import sys; print(sys.prefix)"]).output();
    match asked {
        Ok(output) if output.status.success() => {
            Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n')))
        }
        _ => Err(Failure::usage("no Python environment is active; give its folder with --prefix")),
    }
}

fn active_prefix() -> Option<PathBuf> {
    let named = ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().find_map(variable);
    named.or_else(|| {
        let program = env::current_exe().ok()?;
        let prefix = program.parent()?.parent()?;
        let is_environment = prefix.join("pyvenv.cfg").exists() || prefix.join("conda-meta").exists();
        is_environment.then(|| prefix.to_path_buf())
    })
}

/// Where Jupyter keeps a user's data; `None` where nobody says where the user is at home.
pub fn data_folder() -> Option<PathBuf> {
    if let Some(folder) = variable("JUPYTER_DATA_DIR") {
        return Some(folder);
    }
    if cfg!(target_os = "macos") {
        return Some(variable("HOME")?.join("Library/Jupyter"));
    }
    match variable("XDG_DATA_HOME") {
        Some(folder) => Some(folder.join("jupyter")),
        None => Some(variable("HOME")?.join(".local/share/jupyter")),
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wheel_carries_the_same_spec() {
        let text = include_str!("../../python/tidebook.data/data/share/jupyter/kernels/tide/kernel.json");
        let wheel: Value = serde_json::from_str(text).unwrap();
        let program = wheel["argv"][0].as_str().unwrap();
        assert!(program.starts_with(WHEEL_FOLDER) && program.ends_with("/bin/tidebook"), "{program}");
        assert_eq!(wheel, spec(Path::new(program), language::DISPLAY_NAME, &[]));
    }

    #[test]
    fn a_name_is_one_that_jupyter_takes() {
        for good in ["tide", "tide-2.1_x"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in ["", "..", "a/b", "a b", "ä"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
