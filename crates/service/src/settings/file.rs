//! `oms.toml`: the names of the variables in lower case, with or without tables: `payment_window = "30m"`,
//! `[log] partitions = 8`, `database_url = "…"`.

use super::{SettingError, catalogue};
use toml::Value;

/// The variables that a file sets.
pub(super) fn flatten(text: &str) -> Result<Vec<(String, String)>, SettingError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| SettingError::toml(&error))?;
    let mut values = Vec::new();
    for (key, value) in table {
        collect(&key.to_ascii_uppercase(), &value, &mut values)?;
    }
    Ok(values)
}

fn collect(path: &str, value: &Value, values: &mut Vec<(String, String)>) -> Result<(), SettingError> {
    let text = match value {
        Value::Table(table) => {
            for (key, value) in table {
                collect(&format!("{path}_{}", key.to_ascii_uppercase()), value, values)?;
            }
            return Ok(());
        }
        Value::Array(items) => {
            let texts: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            texts.ok_or_else(|| SettingError::toml(&format!("`{path}`: a list takes texts")))?.join(",")
        }
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Datetime(moment) => moment.to_string(),
    };
    let known = path.starts_with("OMS_") || catalogue::find(path).is_some();
    let name = if known { path.to_owned() } else { format!("OMS_{path}") };
    if !text.is_empty() {
        values.push((name, text));
    }
    Ok(())
}
