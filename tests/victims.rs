//! The processes of a world, to be killed.

use crate::{Dice, World};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

impl World {
    /// Kills one of the processes of this world with SIGKILL, as soon as one of these names is there; gives its name. None
    /// when there is none for so long. The name of a script is bash.
    pub fn kill_one(&self, names: &[&str], dice: &mut Dice, patience: Duration) -> Option<String> {
        let until = Instant::now() + patience;
        // A tool more often than a script: most of what a script does is waiting.
        let scripts_too = dice.below(4) == 0;
        while Instant::now() < until {
            let mut running = self.running(names);
            running.retain(|(_, name)| scripts_too || name != "bash");
            if let Some((pid, name)) = running.get(dice.below(running.len() as u32) as usize) {
                let killed = Command::new("kill").args(["-9", pid]).output();
                if killed.is_ok_and(|output| output.status.success()) {
                    return Some(name.clone());
                }
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }

    /// Processes of these names that carry this world's own folder in their environment: id and name.
    #[must_use]
    pub fn running(&self, names: &[&str]) -> Vec<(String, String)> {
        let home = format!("HOME={}\0", self.workdir.path("home").display());
        let processes = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
        let ours = processes.filter_map(|entry| {
            let name = fs::read_to_string(entry.path().join("comm")).ok()?.trim().to_owned();
            let is_meant = names.contains(&name.as_str());
            let environment = is_meant.then(|| fs::read(entry.path().join("environ")).ok())??;
            let is_ours = String::from_utf8_lossy(&environment).contains(&home);
            is_ours.then(|| (entry.file_name().to_string_lossy().into_owned(), name))
        });
        ours.collect()
    }
}
