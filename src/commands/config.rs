//! `oms config`: the settings as they are in force, secrets masked.

use service::Settings;
use service::settings::Source;

/// Prints one setting a line: its value and where it came from.
pub fn run() -> anyhow::Result<()> {
    let settings = Settings::load()?;
    for (name, value, source) in settings.effective() {
        let origin = match source {
            Source::Program => "set by the command",
            Source::Environment => "environment",
            Source::File => "oms.toml",
            Source::Default => "default",
        };
        println!("{name} = {value}  # {origin}");
    }
    for name in settings.unknown() {
        eprintln!("oms: {name} is set but means nothing here");
    }
    Ok(())
}
