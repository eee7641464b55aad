//! `tidebook install`: writes the kernelspec.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Failure;
use super::kernelspec::{self, Found, LOGOS, Place, SPEC};
use crate::language;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The name by which notebooks and tools ask for the kernel.
    #[arg(long, value_name = "NAME", default_value = language::NAME, value_parser = kernelspec::name)]
    name: String,
    /// The name that people see.
    #[arg(long, value_name = "TEXT", default_value = language::DISPLAY_NAME)]
    display_name: String,
    /// An environment variable of the kernel.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
}

/// What an installation did, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Installed {
    /// The folder of the kernelspec.
    pub folder: PathBuf,
    /// True if a kernelspec of ours was there before.
    pub is_replaced: bool,
}

/// Installs the kernelspec.
pub fn run(arguments: &Arguments) -> Result<Installed, Failure> {
    let folder = arguments.place.folder(&arguments.name)?;
    let program = std::env::current_exe()
        .map_err(|error| Failure::runtime(format!("the path of this program cannot be found: {error}")))?;
    let found = kernelspec::look(&folder)
        .map_err(|error| Failure::runtime(format!("cannot read `{}`: {error}", folder.join(SPEC).display())))?;
    if let Found::Other(other) = found {
        let message =
            format!("`{}` holds another kernel, `{other}`; choose a name for this one with --name", folder.display());
        return Err(Failure::runtime(message));
    }
    let spec = kernelspec::spec(&program, &arguments.display_name, &arguments.variables);
    write(&folder, &spec).map_err(|error| Failure::runtime(format!("cannot write `{}`: {error}", folder.display())))?;
    Ok(Installed { folder, is_replaced: found != Found::Nothing })
}

/// Writes the files; the one that makes them a kernelspec comes last.
fn write(folder: &Path, spec: &Value) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, bytes) in LOGOS {
        fs::write(folder.join(name), bytes)?;
    }
    fs::write(folder.join(SPEC), format!("{spec:#}\n"))
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_string(), value.to_string())),
        _ => Err("expected NAME=VALUE".to_string()),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use clap::Parser;
    use serde_json::json;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        install: Arguments,
    }

    /// `tidebook install --prefix FOLDER …`
    pub fn install(prefix: &Path, options: &[&str]) -> Result<Installed, Failure> {
        let line = ["install", "--prefix", prefix.to_str().unwrap()];
        run(&Line::try_parse_from(line.iter().chain(options)).unwrap().install)
    }

    fn spec_in(folder: &Path) -> Value {
        serde_json::from_str(&fs::read_to_string(folder.join(SPEC)).unwrap()).unwrap()
    }

    #[test]
    fn a_prefix_gets_a_whole_kernelspec_and_a_second_install_replaces_it() {
        let prefix = tempfile::tempdir().unwrap();
        let folder = prefix.path().join("share/jupyter/kernels/tide");
        assert_eq!(install(prefix.path(), &[]), Ok(Installed { folder: folder.clone(), is_replaced: false }));
        fs::write(folder.join(SPEC), spec_in(&folder).to_string().replace("Tide (Tidebook)", "Tide 0.0")).unwrap();
        assert_eq!(install(prefix.path(), &[]), Ok(Installed { folder: folder.clone(), is_replaced: true }));
        let spec = spec_in(&folder);
        let program = std::env::current_exe().unwrap();
        assert_eq!(
            spec["argv"],
            json!([program.to_str().unwrap(), "kernel", "--connection-file", "{connection_file}"])
        );
        assert_eq!(spec["interrupt_mode"], "message");
        assert_eq!((&spec["language"], &spec["display_name"]), (&json!("tide"), &json!("Tide (Tidebook)")));
        assert!(spec.get("env").is_none());
        assert!(fs::read(folder.join("logo-64x64.png")).unwrap().starts_with(b"\x89PNG"));
        assert!(fs::read_to_string(folder.join("logo-svg.svg")).unwrap().contains("<svg"));
    }

    #[test]
    fn names_and_variables_are_the_users() {
        let prefix = tempfile::tempdir().unwrap();
        let options = ["--name", "tide-dev", "--display-name", "Tide, next", "--env", "A=1=2", "--env", "B="];
        let installed = install(prefix.path(), &options).unwrap();
        assert!(installed.folder.ends_with("kernels/tide-dev"));
        let spec = spec_in(&installed.folder);
        assert_eq!(spec["display_name"], "Tide, next");
        assert_eq!(spec["env"], json!({"A": "1=2", "B": ""}));
        for wrong in [["--name", "a/b"], ["--env", "A"]] {
            assert!(Line::try_parse_from(["install"].iter().chain(&wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn another_kernel_is_left_alone() {
        let prefix = tempfile::tempdir().unwrap();
        let folder = prefix.path().join("share/jupyter/kernels/python3");
        fs::create_dir_all(&folder).unwrap();
        let text = r#"{"argv": ["python", "-m", "ipykernel"], "display_name": "Python 3", "language": "python"}"#;
        fs::write(folder.join(SPEC), text).unwrap();
        let failure = install(prefix.path(), &["--name", "python3"]).unwrap_err();
        assert_eq!(failure.code, 1);
        assert!(failure.message.contains("another kernel, `Python 3`"), "{}", failure.message);
        assert_eq!(fs::read_to_string(folder.join(SPEC)).unwrap(), text);
    }
}
