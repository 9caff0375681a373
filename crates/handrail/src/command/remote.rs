//! A FHIR server as the commands see it: one kept connection, and errors that say what to do.

use crate::{
    fault::Fault,
    http_client::{ClientError, Connection, Url},
    limits,
    tls::trust,
};
use bytes::Bytes;
use clap::Args;
use http::{Request, Response, header};
use http_body_util::Full;
use rustls::ClientConfig;
use std::{path::PathBuf, sync::Arc};
use tokio::{net::lookup_host, time::timeout};

/// How a command reaches a server.
#[derive(Debug, Args)]
pub(super) struct Reach {
    /// CA file (PEM) that the server's certificate is signed by, if the machine does not trust it
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// Certificate (PEM, its chain after it) to show when the server asks for one
    #[arg(long, value_name = "FILE", requires = "certificate_key")]
    pub(super) certificate: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(super) certificate_key: Option<PathBuf>,
}

/// A server to talk to.
pub(super) struct Remote {
    base: Url,
    tls: Arc<ClientConfig>,
    /// Shows a certificate to whoever asks.
    shows_certificate: bool,
    connection: Option<Connection>,
}

impl Remote {
    /// The server whose FHIR base this is.
    ///
    /// # Errors
    /// [`Fault`] when the URL or a file cannot be used.
    pub(super) fn new(base: &str, reach: &Reach) -> Result<Self, Fault> {
        let url = Url::parse(base.trim_end_matches('/'))
            .map_err(|why| Fault::at(base, why).fix("give the FHIR base URL, such as https://127.0.0.1:8443/fhir"))?;
        let own = reach.certificate.as_deref().zip(reach.certificate_key.as_deref());
        let tls = trust::client_config_as(reach.ca.as_deref(), own).map_err(Fault::new)?;
        Ok(Self { base: url, tls, shows_certificate: own.is_some(), connection: None })
    }

    /// Whether it shows a certificate to whoever asks.
    pub(super) fn shows_certificate(&self) -> bool {
        self.shows_certificate
    }

    /// The same trust, another URL of the same server's metadata.
    ///
    /// # Errors
    /// [`Fault`] when it is no https URL.
    pub(super) fn at(&self, url: &str) -> Result<Self, Fault> {
        let base = Url::parse(url).map_err(|why| Fault::at(url, why))?;
        Ok(Self { base, tls: Arc::clone(&self.tls), shows_certificate: self.shows_certificate, connection: None })
    }

    /// GETs base + `path` as JSON.
    ///
    /// # Errors
    /// [`Fault`].
    pub(super) async fn get(&mut self, path: &str) -> Result<Response<Bytes>, Fault> {
        let request = Request::get(self.target(path)).header(header::ACCEPT, "application/json");
        self.send(request, Bytes::new()).await
    }

    /// The same with an access token.
    ///
    /// # Errors
    /// [`Fault`].
    pub(super) async fn get_as(&mut self, path: &str, token: &str) -> Result<Response<Bytes>, Fault> {
        let request = Request::get(self.target(path))
            .header(header::ACCEPT, "application/fhir+json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request, Bytes::new()).await
    }

    /// POSTs to base + `path`; `token` is the access token.
    ///
    /// # Errors
    /// [`Fault`].
    pub(super) async fn post(
        &mut self,
        path: &str,
        content_type: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Result<Response<Bytes>, Fault> {
        let mut request = Request::post(self.target(path))
            .header(header::CONTENT_TYPE, content_type)
            .header(header::ACCEPT, "application/fhir+json, application/json;q=0.9")
            .header("prefer", "return=minimal");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request, body).await
    }

    fn target(&self, path: &str) -> String {
        format!("{}{path}", self.base.target().trim_end_matches(if path.is_empty() { '\0' } else { '/' }))
    }

    async fn send(&mut self, request: http::request::Builder, body: Bytes) -> Result<Response<Bytes>, Fault> {
        let request = request.body(Full::new(body)).map_err(Fault::new)?;
        let exchange = async {
            let mut connection = match self.connection.take().filter(Connection::is_open) {
                Some(connection) => connection,
                None => connect(&self.base, &self.tls).await?,
            };
            let answer = connection.send(request, limits::CLIENT_BYTES_MAX).await?;
            self.connection = Some(connection);
            Ok(answer)
        };
        let answer = timeout(limits::CLIENT, exchange).await.unwrap_or(Err(ClientError::TimedOut));
        answer.map_err(|why| explain(&self.base, &why))
    }
}

async fn connect(url: &Url, tls: &Arc<ClientConfig>) -> Result<Connection, ClientError> {
    let addresses = lookup_host((url.host(), url.port())).await.map_err(ClientError::Resolve)?;
    let mut last = ClientError::Resolve(std::io::ErrorKind::NotFound.into());
    for address in addresses {
        match Connection::open(url, address, tls).await {
            Ok(connection) => return Ok(connection),
            Err(why) => last = why,
        }
    }
    Err(last)
}

fn explain(url: &Url, why: &ClientError) -> Fault {
    let fault = Fault::at(url, why);
    match why {
        ClientError::Connect(..) => fault.fix("is the server running, and is the port right?"),
        ClientError::Tls(inner) => {
            let text = inner.to_string();
            if text.contains("UnknownIssuer") {
                fault
                    .fix("name the CA that signed the server's certificate: --ca FILE (a local CA's is DIR/tls/ca.pem)")
            } else if text.contains("NotValidForName") {
                fault.fix("use the host name that the certificate names, as in the line 'listening on'")
            } else {
                fault
            }
        }
        _ => fault,
    }
}
