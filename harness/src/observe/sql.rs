//! One query to a database: a Postgres over a connection through the agent, or a
//! SQLite file that was copied out of the subject.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::task::AbortHandle;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::http::dialled;
use crate::agent::Agent;

/// A server that accepts and stays silent must not stop the looking.
const PATIENCE: Duration = Duration::from_secs(5);

/// The rows that a Postgres answers, as texts; or in a few words why there are none.
pub async fn postgres(
    agent: &Agent,
    pid: Option<u32>,
    host: &str,
    url: &str,
    query: &str,
) -> Result<Vec<Vec<Value>>, String> {
    let (client, driver) = connect(agent, pid, host, url).await?;
    let answered = tokio::time::timeout(PATIENCE, client.simple_query(query)).await;
    drop(client);
    driver.abort();
    let messages = answered.map_err(|_| "no answer".to_owned())?.map_err(|error| words(&error))?;
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let value = |text: Option<&str>| text.map_or(Value::Null, |text| Value::String(text.to_owned()));
    Ok(rows.map(|row| (0..row.len()).map(|column| value(row.get(column))).collect()).collect())
}

/// A session, and what carries it; or in a few words why there is none.
pub async fn connect(agent: &Agent, pid: Option<u32>, host: &str, url: &str) -> Result<(Client, AbortHandle), String> {
    let config: Config = url.parse().map_err(|error| format!("no such address: {error}"))?;
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let connection = dialled(agent, pid, host, port, PATIENCE).await?;
    let connected = tokio::time::timeout(PATIENCE, config.connect_raw(connection, NoTls)).await;
    let (client, driver) = connected.map_err(|_| "no answer".to_owned())?.map_err(|error| words(&error))?;
    Ok((client, tokio::spawn(driver).abort_handle()))
}

/// The server's own words with its SQLSTATE, or what became of the connection.
fn words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{}: {}", error.code().code(), error.message()),
        None => "closed without an answer".to_owned(),
    }
}

/// The rows that a SQLite file answers, with what stands beside it, as a crash
/// would have left them. The archive holds the file's directory.
pub fn sqlite(archive: &Bytes, file: &str, query: &str) -> Result<Vec<Vec<Value>>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    unpack(archive, file, folder.path())?;
    let path = folder.path().join(file);
    if !path.exists() {
        return Err("there is no such file".to_owned());
    }
    let connection = rusqlite::Connection::open(path).map_err(|error| error.to_string())?;
    let mut statement = connection.prepare(query).map_err(|error| error.to_string())?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get_ref(column).map(plain)).collect());
    rows.and_then(Iterator::collect).map_err(|error| error.to_string())
}

/// Takes the file and what SQLite keeps beside it out of an archive.
fn unpack(archive: &Bytes, file: &str, folder: &Path) -> Result<(), String> {
    let mut archive = tar::Archive::new(&archive[..]);
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let path = entry.path().map_err(|error| error.to_string())?.into_owned();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // A shared-memory file is of the processes that were; SQLite makes a new one.
        let wanted = name == file || name == format!("{file}-wal") || name == format!("{file}-journal");
        // The directory itself is the first part of each path.
        if wanted && path.components().count() <= 2 {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(|error| error.to_string())?;
            std::fs::write(folder.join(&name), content).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn plain(value: rusqlite::types::ValueRef<'_>) -> Value {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::String(number.to_string()),
        ValueRef::Real(number) => Value::String(number.to_string()),
        ValueRef::Text(text) | ValueRef::Blob(text) => Value::String(String::from_utf8_lossy(text).into_owned()),
    }
}
