//! `tidebook install`: writes the kernelspec, which tells Jupyter how to start this program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::Failure;
use crate::language;

const LOGOS: [(&str, &[u8]); 3] = [
    ("logo-32x32.png", include_bytes!("logo/logo-32x32.png")),
    ("logo-64x64.png", include_bytes!("logo/logo-64x64.png")),
    ("logo-svg.svg", include_bytes!("logo/logo-svg.svg")),
];

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub struct Arguments {
    /// For this user (the default).
    #[arg(long)]
    user: bool,
    /// For the Python environment that is active.
    #[arg(long)]
    sys_prefix: bool,
    /// Below this folder, in share/jupyter/kernels.
    #[arg(long, value_name = "P")]
    prefix: Option<PathBuf>,
}

/// Installs the kernelspec; gives its folder.
pub fn run(arguments: &Arguments) -> Result<PathBuf, Failure> {
    let data = match (&arguments.prefix, arguments.sys_prefix) {
        (Some(prefix), _) => prefix.join("share/jupyter"),
        (None, true) => environment_prefix()?.join("share/jupyter"),
        (None, false) => {
            data_folder().ok_or_else(|| Failure::usage("`HOME` is not set; give a folder with --prefix"))?
        }
    };
    let program = std::env::current_exe()
        .map_err(|error| Failure::runtime(format!("the path of this program cannot be found: {error}")))?;
    let folder = data.join("kernels").join(language::NAME);
    write(&folder, &program)
        .map_err(|error| Failure::runtime(format!("cannot write `{}`: {error}", folder.display())))?;
    Ok(folder)
}

fn write(folder: &Path, program: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let spec = json!({
        "argv": [program.to_string_lossy(), "kernel", "--connection-file", "{connection_file}"],
        "display_name": language::DISPLAY_NAME,
        "language": language::NAME,
        "interrupt_mode": "message",
        "metadata": {"debugger": false},
    });
    fs::write(folder.join("kernel.json"), format!("{spec:#}\n"))?;
    for (name, bytes) in LOGOS {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// The folder of the active Python environment.
fn environment_prefix() -> Result<PathBuf, Failure> {
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        if let Some(prefix) = std::env::var_os(variable).filter(|prefix| !prefix.is_empty()) {
            return Ok(PathBuf::from(prefix));
        }
    }
    let asked = Command::new("python3").args(["-c", "import sys; print(sys.prefix)"]).output();
    match asked {
        Ok(output) if output.status.success() => {
            Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n')))
        }
        _ => Err(Failure::usage("no Python environment is active; give its folder with --prefix")),
    }
}

/// Where Jupyter keeps a user's data; `None` where nobody says where the user is at home.
pub(super) fn data_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_prefix_gets_a_whole_kernelspec_and_a_second_install_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = Arguments { user: false, sys_prefix: false, prefix: Some(folder.path().to_path_buf()) };
        run(&arguments).unwrap();
        let installed = run(&arguments).unwrap();
        assert_eq!(installed, folder.path().join("share/jupyter/kernels/tide"));
        let spec: Value = serde_json::from_str(&fs::read_to_string(installed.join("kernel.json")).unwrap()).unwrap();
        let program = std::env::current_exe().unwrap();
        assert_eq!(
            spec["argv"],
            json!([program.to_str().unwrap(), "kernel", "--connection-file", "{connection_file}"])
        );
        assert_eq!(spec["interrupt_mode"], "message");
        assert_eq!((&spec["language"], &spec["display_name"]), (&json!("tide"), &json!("Tide (Tidebook)")));
        let png = fs::read(installed.join("logo-64x64.png")).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
        assert!(fs::read_to_string(installed.join("logo-svg.svg")).unwrap().contains("<svg"));
    }
}
