//! MLflow's surface of the workspace: what a real MLflow server answers, for whoever the workspace lets in. Databricks keeps files
//! elsewhere, `dbfs:/databricks/mlflow-tracking/…`, and says in a header which workspace it is.

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::header::HeaderValue;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::answer::{Answer, Refusal};
use crate::asked::Asked;
use crate::login;
use crate::state::State;

const KEPT: &str = "mlflow-artifacts:/";
const SHOWN: &str = "dbfs:/databricks/mlflow-tracking/";
const DOOR: &str = "/api/2.0/mlflow/model-versions/transition-stage";
const DOORS: [&str; 2] =
    ["/api/2.0/mlflow/databricks/model-versions/transition-stage", "/api/2.0/mlflow/transition-requests/approve"];
/// The simulated workspace's id.
const ORGANISATION: &str = "1234567890123456";

/// A request for the server.
pub(crate) struct Onward {
    server: String,
    request: Request<Full<Bytes>>,
}

/// What goes on to the server; `None` for what the workspace answers itself.
pub(crate) fn onward(asked: &Asked, query: &str, state: &State) -> Option<Result<Onward, Answer>> {
    let server = state.scenario.mlflow.clone()?;
    let own = asked.path.starts_with("/api/2.0/mlflow/unity-catalog/");
    if own || !asked.path.starts_with("/api/2.0/mlflow/") {
        return None;
    }
    if let Err(refused) = login::caller(asked, state) {
        return Some(Err(*refused));
    }
    let body = inward(&String::from_utf8_lossy(&asked.body));
    // The workspace's own doors to a stage: what they do is what the server's one door does.
    let path = if DOORS.contains(&asked.path.as_str()) { DOOR } else { &asked.path };
    let request = Request::builder()
        .method(asked.method.clone())
        .uri(if query.is_empty() { path.to_owned() } else { format!("{path}?{}", inward(query)) })
        .header("host", server.trim_start_matches("http://"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)));
    Some(match request {
        Ok(request) => Ok(Onward { server, request }),
        Err(error) => Err(Refusal::malformed(&error.to_string()).into()),
    })
}

/// What the server answers.
pub(crate) async fn carry(onward: Onward) -> Answer {
    let answer = async {
        let stream = TcpStream::connect(onward.server.trim_start_matches("http://")).await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let (mut head, body) = sender.send_request(onward.request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        head.headers.remove("content-length");
        head.headers.remove("transfer-encoding");
        head.headers.insert("x-databricks-org-id", HeaderValue::from_static(ORGANISATION));
        let shown = outward(&String::from_utf8_lossy(&body));
        Ok::<_, Box<dyn std::error::Error>>(Answer::from_parts(head, Full::new(Bytes::from(shown))))
    };
    answer.await.unwrap_or_else(|error| Refusal::new(500, "INTERNAL_ERROR", error.to_string()).into())
}

/// Places of files, as the workspace shows them.
fn outward(text: &str) -> String {
    renamed(text, (KEPT, "/models/"), (SHOWN, "/logged_models/"))
}

/// As the server keeps them.
fn inward(text: &str) -> String {
    renamed(text, (SHOWN, "/logged_models/"), (KEPT, "/models/"))
}

fn renamed(text: &str, from: (&str, &str), to: (&str, &str)) -> String {
    let mut parts = text.split(from.0);
    let mut renamed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        renamed.push_str(to.0);
        match part.split_once(from.1).filter(|(experiment, _)| experiment.bytes().all(|byte| byte.is_ascii_digit())) {
            Some((experiment, rest)) => renamed.extend([experiment, to.1, rest]),
            None => renamed.push_str(part),
        }
    }
    renamed
}
