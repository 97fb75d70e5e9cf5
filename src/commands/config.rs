//! `oms config`: the settings as they are in force, secrets masked.

use service::Settings;

/// Prints one setting a line: its value and where it came from.
pub fn run() -> anyhow::Result<()> {
    let settings = Settings::load()?;
    for (name, value, source) in settings.effective() {
        println!("{name} = {value}  # {source}");
    }
    for name in settings.unknown() {
        eprintln!("oms: {name} is set but means nothing here");
    }
    Ok(())
}
