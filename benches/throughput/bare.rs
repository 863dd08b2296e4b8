//! The bare program: what one would write in an afternoon, and nothing else. It reads the manifest into memory, sends the four
//! calls of each row with reqwest and `buffer_unordered`, and counts. It keeps no ledger, writes no report and paces nothing.

use std::fs::{self, File};
use std::path::Path;

use futures::stream::{self, StreamExt as _};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;
use reqwest::{Certificate, Client};
use serde::Deserialize;
use serde_json::json;

use crate::arguments::Bare;
use crate::server::TOKEN;

/// Onboards every row.
///
/// # Panics
///
/// When one isn't healthy at the end.
#[tokio::main]
pub(crate) async fn run(asked: &Bare) {
    let mut client = Client::builder();
    if let Some(certificate) = &asked.certificate {
        let pem = fs::read(certificate).expect("the certificate can be read");
        client = client.add_root_certificate(Certificate::from_pem(&pem).expect("a certificate"));
    }
    let client = client.build().expect("a client");
    let rows = read(&asked.manifest);
    let onboarded = stream::iter(rows.iter().map(|row| onboard(&client, &asked.stara, &asked.leaf, row)));
    let healthy = onboarded
        .buffer_unordered(asked.concurrency)
        .filter(|healthy| std::future::ready(*healthy))
        .count()
        .await;
    assert_eq!(healthy, rows.len());
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "leafUserId")]
    leaf_user_id: String,
    login: String,
    password: String,
}

fn read(manifest: &Path) -> Vec<Row> {
    if manifest.extension().is_some_and(|extension| extension == "parquet") {
        return read_parquet(manifest);
    }
    let mut reader = csv::Reader::from_path(manifest).expect("the manifest opens");
    reader.deserialize().collect::<Result<_, _>>().expect("the manifest is read")
}

fn read_parquet(manifest: &Path) -> Vec<Row> {
    let file = File::open(manifest).expect("the manifest opens");
    let reader = SerializedFileReader::new(file).expect("it is Parquet");
    let rows = reader.get_row_iter(None).expect("its rows");
    rows.map(|row| {
        let row = row.expect("a row");
        let cell = |column| row.get_string(column).expect("a text").clone();
        Row { leaf_user_id: cell(0), login: cell(1), password: cell(2) }
    })
    .collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    api_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tokens {
    access_token: String,
    access_token_client: String,
    refresh_token: String,
}

#[derive(Deserialize)]
struct Credential {
    status: String,
}

async fn onboard(client: &Client, stara: &str, leaf: &str, row: &Row) -> bool {
    let credentials =
        format!("{leaf}/services/usermanagement/api/users/{}/stara-credentials", row.leaf_user_id);
    let calls = async {
        let login = json!({ "login": row.login, "password": row.password });
        let key: Key = client.post(format!("{stara}/autenticacao")).json(&login).send().await?.json().await?;
        let asked = json!({ "apiKey": key.api_key });
        let tokens: Tokens = client.post(format!("{stara}/token")).json(&asked).send().await?.json().await?;
        let body = json!({
            "apiKey": key.api_key,
            "accessToken": tokens.access_token,
            "accessTokenClient": tokens.access_token_client,
            "refreshToken": tokens.refresh_token,
        });
        client
            .post(&credentials)
            .bearer_auth(TOKEN)
            .json(&body)
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await?;
        client.get(&credentials).bearer_auth(TOKEN).send().await?.json::<Credential>().await
    };
    calls.await.is_ok_and(|credential: Credential| credential.status == "OK")
}
