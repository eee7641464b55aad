//! Notices of the file system, collected until the reader looks at them. However many there are, a path is kept once:
//! a reader that is held up costs no memory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use parking_lot::{Condvar, Mutex};

use super::stamp::Stamp;

/// What has been noticed.
#[derive(Debug, Default)]
pub struct Notices {
    /// Paths at which something happened.
    pub paths: BTreeSet<PathBuf>,
    /// True if notices were lost: everything has to be looked at.
    pub everything: bool,
}

impl Notices {
    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.everything
    }
}

#[derive(Default)]
struct Shared {
    notices: Mutex<Notices>,
    arrived: Condvar,
}

/// Watches folders.
pub struct FolderWatch {
    shared: Arc<Shared>,
    watcher: Option<RecommendedWatcher>,
    folders: Vec<Folder>,
}

struct Folder {
    path: PathBuf,
    deep: bool,
    /// Which folder is watched: another one can take over the path.
    watched: Option<u64>,
}

impl FolderWatch {
    /// Watches `folders`, those that are there; [`FolderWatch::renew`] tries the others.
    pub fn new(folders: Vec<(PathBuf, bool)>) -> FolderWatch {
        let shared = Arc::new(Shared::default());
        let handler = {
            let shared = shared.clone();
            move |event: notify::Result<Event>| shared.note(event)
        };
        let watcher = notify::recommended_watcher(handler)
            .inspect_err(|error| tracing::warn!(%error, "no file notices: files are only looked at from time to time"))
            .ok();
        let folders = folders.into_iter().map(|(path, deep)| Folder { path, deep, watched: None }).collect();
        let mut watch = FolderWatch { shared, watcher, folders };
        watch.renew();
        watch
    }

    /// Watches folders that have appeared or been replaced.
    pub fn renew(&mut self) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for folder in &mut self.folders {
            let there = std::fs::metadata(&folder.path).ok().filter(std::fs::Metadata::is_dir);
            let inode = there.map(|metadata| Stamp::of(&metadata).inode);
            if inode == folder.watched {
                continue;
            }
            if folder.watched.take().is_some() {
                // The watch of a folder that is gone is gone as well, which is the error that this may give.
                let _gone = watcher.unwatch(&folder.path);
            }
            let mode = if folder.deep { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            if inode.is_some() {
                match watcher.watch(&folder.path, mode) {
                    Ok(()) => folder.watched = inode,
                    Err(error) => tracing::warn!(folder = %folder.path.display(), %error, "cannot watch folder"),
                }
            }
        }
    }

    /// Notes that something has happened to `path` itself. If it is a watched folder, it may be another one by now, even
    /// with the same number, and its watch may be dead: [`FolderWatch::renew`] watches it again.
    pub fn lose(&mut self, path: &Path) {
        let (Some(watcher), Some(folder)) = (&mut self.watcher, self.folders.iter_mut().find(|f| f.path == path))
        else {
            return;
        };
        if folder.watched.take().is_some() {
            let _gone = watcher.unwatch(path);
        }
    }

    /// True if every folder is watched.
    pub fn is_complete(&self) -> bool {
        self.folders.iter().all(|folder| folder.watched.is_some())
    }

    /// What has been noticed since the last time; waits for something until `deadline`.
    pub fn take(&self, deadline: Instant) -> Notices {
        let mut notices = self.shared.notices.lock();
        while notices.is_empty() && !self.shared.arrived.wait_until(&mut notices, deadline).timed_out() {}
        std::mem::take(&mut notices)
    }
}

impl Shared {
    fn note(&self, event: notify::Result<Event>) {
        let mut notices = self.notices.lock();
        match event {
            // Our own reading is noticed as well; it changes nothing.
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => return,
            Ok(event) => {
                notices.everything |= event.need_rescan();
                notices.paths.extend(event.paths);
            }
            Err(error) => {
                tracing::warn!(%error, "file notices were lost");
                notices.everything = true;
            }
        }
        drop(notices);
        self.arrived.notify_one();
    }
}
