//! One query to a database: a Postgres over a connection through the agent, or a
//! SQLite file that was copied out of the subject.

use std::time::Duration;

use serde_json::Value;
use tokio::task::AbortHandle;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::http::dialled;
use super::missed::Missed;
use crate::agent::Agent;

/// A server that accepts and stays silent must not stop the looking.
const PATIENCE: Duration = Duration::from_secs(5);

/// What SQLite keeps beside a database that matters to whoever reads it. A
/// shared-memory file is of the processes that were; SQLite makes a new one.
pub const BESIDE: [&str; 3] = ["", "-wal", "-journal"];

/// The rows that a database answers, as texts.
pub type Rows = Vec<Vec<Value>>;

/// The rows that a Postgres answers.
pub async fn postgres(agent: &Agent, pid: Option<u32>, host: &str, url: &str, query: &str) -> Result<Rows, Missed> {
    let (client, driver) = connect(agent, pid, host, url).await?;
    let answered = tokio::time::timeout(PATIENCE, client.simple_query(query)).await;
    drop(client);
    driver.abort();
    let messages = answered.map_err(|_| silent())?.map_err(|error| words(&error))?;
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let value = |text: Option<&str>| text.map_or(Value::Null, |text| Value::String(text.to_owned()));
    Ok(rows.map(|row| (0..row.len()).map(|column| value(row.get(column))).collect()).collect())
}

/// A session, and what carries it.
pub async fn connect(agent: &Agent, pid: Option<u32>, host: &str, url: &str) -> Result<(Client, AbortHandle), Missed> {
    let config: Config = url.parse().map_err(|error| Missed::unable("read the address of a database", error))?;
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let connection = dialled(agent, pid, host, port, PATIENCE).await?;
    let connected = tokio::time::timeout(PATIENCE, config.connect_raw(connection, NoTls)).await;
    let (client, driver) = connected.map_err(|_| silent())?.map_err(|error| words(&error))?;
    Ok((client, tokio::spawn(driver).abort_handle()))
}

fn silent() -> Missed {
    Missed::Unanswered("no answer".to_owned())
}

/// The server's own words with its SQLSTATE, or what became of the connection.
fn words(error: &tokio_postgres::Error) -> Missed {
    Missed::Unanswered(match error.as_db_error() {
        Some(error) => format!("{}: {}", error.code().code(), error.message()),
        None => "closed without an answer".to_owned(),
    })
}

/// The rows that a SQLite database answers, of which these are the files: the
/// database and each of those beside it that is there.
pub fn sqlite(files: &[Option<Vec<u8>>; BESIDE.len()], query: &str) -> Result<Rows, Missed> {
    let unable = |error: std::io::Error| Missed::unable("keep a copy of a database", error);
    let folder = tempfile::tempdir().map_err(unable)?;
    let path = folder.path().join("copy.db");
    for (ending, content) in BESIDE.iter().zip(files) {
        if let Some(content) = content {
            std::fs::write(folder.path().join(format!("copy.db{ending}")), content).map_err(unable)?;
        }
    }
    ask(&path, query).map_err(|error| Missed::Unanswered(error.to_string()))
}

fn ask(path: &std::path::Path, query: &str) -> rusqlite::Result<Rows> {
    let connection = rusqlite::Connection::open(path)?;
    let mut statement = connection.prepare(query)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get_ref(column).map(plain)).collect())?;
    rows.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks a copy of a database whose last rows stand only in its log.
    fn check(query: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live.db");
        let live = rusqlite::Connection::open(&path).unwrap();
        live.execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE book (id, title); INSERT INTO book VALUES (1, 'a'), (2, NULL);",
        )
        .unwrap();
        let read = |ending: &str| std::fs::read(folder.path().join(format!("live.db{ending}"))).ok();
        let seen = match sqlite(&BESIDE.map(read), query) {
            Ok(rows) => serde_json::json!(rows).to_string(),
            Err(missed) => missed.to_string(),
        };
        assert_eq!(seen, expected, "{query}");
    }

    #[test]
    fn a_copy_of_a_living_database_has_what_is_only_in_its_log() {
        check("SELECT id, title FROM book ORDER BY id", r#"[["1","a"],["2",null]]"#);
        check("SELECT count(*), 1.5 FROM book", r#"[["2","1.5"]]"#);
        check("SELECT * FROM page", "no such table: page");
    }
}
