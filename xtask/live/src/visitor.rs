//! A person at a browser without scripts, and the app beside them: as much of both as a sign-in, a consent and a token
//! request need.

use crate::client::Connection;
use aws_lc_rs::hmac;
use serde_json::Value;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// SPEC: RFC 7636 appendix B: a verifier and its challenge.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Where the app gets its answers.
pub const REDIRECT: &str = "https://walks.example.org/callback";
const REDIRECT_ENCODED: &str = "https%3A%2F%2Fwalks.example.org%2Fcallback";

const PASSWORD: &str = "three+grey+herons";

/// After so long a connection is made anew.
const REST: Duration = Duration::from_secs(5);

/// The cookie of a session. Those of a device stay when somebody signs out.
const SESSION: &str = "__Host-handrail";

/// An app as it is registered.
#[derive(Debug, Clone)]
pub struct App {
    /// Its id; it is public.
    pub client_id: String,
    /// The FHIR base URL that it asks for.
    pub fhir_base: String,
}

/// Somebody with an account.
pub struct Visitor {
    connection: Connection,
    /// When it was used last: the server closes what rests.
    used: Instant,
    address: SocketAddr,
    tls: Arc<rustls::ClientConfig>,
    /// Where it calls from, when that is not left to the machine.
    from: Option<IpAddr>,
    origin: String,
    login: String,
    cookies: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Its request's id in the audit log.
    pub request_id: String,
    location: String,
    body: String,
}

fn wrong(what: &str, page: &Page) -> io::Error {
    let body: String = page.body.chars().take(600).collect();
    io::Error::other(format!("{what}: {} {} {body}", page.status, page.location))
}

impl Page {
    /// Its body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Its body as text.
    pub fn text(&self) -> &str {
        &self.body
    }

    /// Where it leads.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The value of a hidden field of the page's own form.
    ///
    /// # Errors
    /// [`io::ErrorKind::Other`] when there is none.
    pub fn field(&self, name: &str) -> io::Result<String> {
        let main = self.body.find("<main").and_then(|at| self.body.get(at..)).unwrap_or_default();
        let rest = main.split_once(&format!("name=\"{name}\" value=\""));
        let value = rest.and_then(|(_, rest)| rest.split_once('"')).map(|(value, _)| value.to_owned());
        value.ok_or_else(|| wrong(&format!("no field {name}"), self))
    }

    /// All values of the fields of a name, each once.
    fn offered(&self, name: &str) -> Vec<String> {
        let mut values = Vec::new();
        for part in self.body.split("<input").skip(1) {
            let tag = part.split('>').next().unwrap_or_default();
            let rest = tag.split_once("value=\"").filter(|_| tag.contains(&format!("name=\"{name}\"")));
            let value = rest.and_then(|(_, rest)| rest.split('"').next()).map(|value| value.replace("&amp;", "&"));
            values.extend(value.filter(|value| !values.contains(value)));
        }
        values
    }
}

impl Visitor {
    /// Takes up an account by its invitation.
    ///
    /// # Errors
    /// What the network says; [`io::ErrorKind::Other`] when the server answered otherwise than it should.
    pub async fn enrol(
        address: SocketAddr,
        tls: &Arc<rustls::ClientConfig>,
        origin: &str,
        login: &str,
        link: &str,
    ) -> io::Result<Self> {
        let mut visitor = Self {
            connection: Connection::open(address, tls).await?,
            used: Instant::now(),
            address,
            tls: Arc::clone(tls),
            from: None,
            origin: origin.to_owned(),
            login: login.to_owned(),
            cookies: Vec::new(),
        };
        let path = link.strip_prefix(origin).ok_or_else(|| io::Error::other("the link leads elsewhere"))?;
        visitor.send("GET", path, "").await?;
        let shown = visitor.send("GET", "/account/invitation", "").await?;
        let csrf = shown.field("csrf")?;
        let form = format!("csrf={csrf}&user={login}&password={PASSWORD}&again={PASSWORD}");
        let done = visitor.send("POST", "/account/invitation", &form).await?;
        if done.status != 200 {
            return Err(wrong("the invitation was not taken", &done));
        }
        Ok(visitor)
    }

    /// Signs in anew, on the device that it always was.
    ///
    /// # Errors
    /// What the network says; [`io::ErrorKind::Other`] when the server answered otherwise than it should.
    pub async fn sign_in(&mut self) -> io::Result<()> {
        self.cookies.retain(|(name, _)| name != SESSION);
        let shown = self.send("GET", "/account/sign-in", "").await?;
        let csrf = shown.field("csrf")?;
        let form = format!("csrf={csrf}&continuation=&user={}&password={PASSWORD}", self.login);
        let done = self.send("POST", "/account/sign-in", &form).await?;
        let is_in = done.status == 303 && self.cookies.iter().any(|(name, _)| name == SESSION);
        if is_in { Ok(()) } else { Err(wrong("not signed in", &done)) }
    }

    /// From the app's request to its code. `lasting`: also while the person is away.
    ///
    /// # Errors
    /// What the network says; [`io::ErrorKind::Other`] when the server answered otherwise than it should.
    pub async fn code(&mut self, app: &App, lasting: bool) -> io::Result<String> {
        let scope = if lasting { " offline_access" } else { "" };
        self.code_for(app, &format!("launch/patient patient/Patient.rs patient/Observation.rs{scope}")).await
    }

    /// The same for these scopes; all that is offered is given.
    ///
    /// # Errors
    /// What the network says; [`io::ErrorKind::Other`] when the server answered otherwise than it should.
    pub async fn code_for(&mut self, app: &App, scope: &str) -> io::Result<String> {
        let lasting = scope.contains("offline_access");
        let path = format!(
            "/oauth/authorize?response_type=code&client_id={}&redirect_uri={REDIRECT_ENCODED}&state=s-1&scope={}&aud={}&code_challenge={CHALLENGE}&code_challenge_method=S256",
            app.client_id,
            scope.replace(' ', "+"),
            app.fhir_base.replace(':', "%3A").replace('/', "%2F")
        );
        let mut page = self.send("GET", &path, "").await?;
        while page.status == 303 && page.location.starts_with('/') {
            let next = page.location.clone();
            page = self.send("GET", &next, "").await?;
        }
        if page.status == 200 {
            let (csrf, continuation) = (page.field("csrf")?, page.field("continuation")?);
            let lasts = if lasting { "180" } else { "now" };
            let mut form = format!("csrf={csrf}&continuation={continuation}&decision=share&lasts={lasts}");
            for name in ["group", "scope"] {
                for value in page.offered(name) {
                    form.push_str(&format!("&{name}={}", value.replace('/', "%2F").replace('*', "%2A")));
                }
            }
            page = self.send("POST", "/account/consent", &form).await?;
        }
        let query = page.location.strip_prefix(REDIRECT).unwrap_or_default();
        let code = query.split(['?', '&']).find_map(|pair| pair.strip_prefix("code="));
        code.map(str::to_owned).ok_or_else(|| wrong("no code", &page))
    }

    /// Redeems a code.
    ///
    /// # Errors
    /// What the network says; [`io::ErrorKind::Other`] when the server answered otherwise than it should.
    pub async fn redeem(&mut self, app: &App, code: &str) -> io::Result<Value> {
        let answer = self.try_redeem(app, code).await?;
        if answer.status == 200 { Ok(answer.json()) } else { Err(wrong("no token", &answer)) }
    }

    /// The same, whatever the answer.
    ///
    /// # Errors
    /// What the network says.
    pub async fn try_redeem(&mut self, app: &App, code: &str) -> io::Result<Page> {
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={REDIRECT_ENCODED}&code_verifier={VERIFIER}&client_id={}",
            app.client_id
        );
        self.send("POST", "/oauth/token", &form).await
    }

    /// Uses a refresh token; the one that follows it.
    ///
    /// # Errors
    /// What the network says; [`io::ErrorKind::Other`] when the server answered otherwise than it should.
    pub async fn refresh(&mut self, app: &App, token: &str) -> io::Result<String> {
        let answer = self.try_refresh(app, token).await?;
        let next = answer.json().get("refresh_token").and_then(Value::as_str).map(str::to_owned);
        next.filter(|_| answer.status == 200).ok_or_else(|| wrong("no refresh token", &answer))
    }

    /// The same, whatever the answer.
    ///
    /// # Errors
    /// What the network says.
    pub async fn try_refresh(&mut self, app: &App, token: &str) -> io::Result<Page> {
        let form = format!("grant_type=refresh_token&refresh_token={token}&client_id={}", app.client_id);
        self.send("POST", "/oauth/token", &form).await
    }

    /// The app gives a token back.
    ///
    /// # Errors
    /// What the network says; [`io::ErrorKind::Other`] when the server answered otherwise than it should.
    pub async fn revoke(&mut self, app: &App, token: &str) -> io::Result<()> {
        let answer = self.send("POST", "/oauth/revoke", &format!("token={token}&client_id={}", app.client_id)).await?;
        if answer.status == 200 { Ok(()) } else { Err(wrong("not revoked", &answer)) }
    }

    /// Whether an access token is active, as the server tells the app that shows another one.
    ///
    /// # Errors
    /// What the network says; [`io::ErrorKind::Other`] when the server answered otherwise than it should.
    pub async fn is_active(&mut self, shown: &str, token: &str) -> io::Result<bool> {
        let answer = self.send_with("POST", "/oauth/introspect", Some(shown), &format!("token={token}")).await?;
        let active = answer.json().get("active").and_then(Value::as_bool);
        active.filter(|_| answer.status == 200).ok_or_else(|| wrong("no introspection", &answer))
    }

    /// Reads the FHIR API with an access token.
    ///
    /// # Errors
    /// What the network says.
    pub async fn read(&mut self, path: &str, token: &str) -> io::Result<Page> {
        self.send_with("GET", path, Some(token), "").await
    }

    /// The person ends at "my apps" all that one app has; whether it had anything.
    ///
    /// # Errors
    /// What the network says; [`io::ErrorKind::Other`] when the server answered otherwise than it should.
    pub async fn end_at_my_apps(&mut self) -> io::Result<bool> {
        let page = self.send("GET", "/account/apps", "").await?;
        if page.status != 200 {
            return Err(wrong("no page of apps", &page));
        }
        let grant = page.body.split_once("/account/app?grant=").and_then(|(_, rest)| rest.split_once('"'));
        let Some(grant) = grant.map(|(grant, _)| grant.to_owned()) else { return Ok(false) };
        let page = self.send("GET", &format!("/account/app?grant={grant}"), "").await?;
        let form = format!("csrf={}&grant={grant}&decision=end", page.field("csrf")?);
        let done = self.send("POST", "/account/app", &form).await?;
        if done.status == 303 && done.location.contains("ended=") { Ok(true) } else { Err(wrong("not ended", &done)) }
    }

    /// At a server that was started again, from this address.
    ///
    /// # Errors
    /// What the network says.
    pub async fn reconnect(
        &mut self,
        address: SocketAddr,
        tls: &Arc<rustls::ClientConfig>,
        from: IpAddr,
    ) -> io::Result<()> {
        (self.address, self.tls, self.from) = (address, Arc::clone(tls), Some(from));
        self.open().await
    }

    async fn open(&mut self) -> io::Result<()> {
        self.connection = match self.from {
            Some(from) => Connection::open_from(self.address, &self.tls, from).await?,
            None => Connection::open(self.address, &self.tls).await?,
        };
        self.used = Instant::now();
        Ok(())
    }

    /// Opens a page, once: whoever is told to wait gets that answer.
    ///
    /// # Errors
    /// What the network says.
    pub async fn page(&mut self, path: &str) -> io::Result<Page> {
        self.exchange("GET", path, None, "").await
    }

    /// Sends a form.
    ///
    /// # Errors
    /// What the network says.
    pub async fn submit(&mut self, path: &str, form: &str) -> io::Result<Page> {
        self.send("POST", path, form).await
    }

    /// Takes up an authenticator app: staff need a second factor.
    ///
    /// # Errors
    /// What the network says; [`io::ErrorKind::Other`] when the server answered otherwise than it should.
    pub async fn take_authenticator(&mut self) -> io::Result<()> {
        const PAGE: &str = "/account/security/authenticator";
        let page = self.send("GET", PAGE, "").await?;
        let code = one_time_code(&page)?;
        let done = self.send("POST", PAGE, &format!("csrf={}&code={code}", page.field("csrf")?)).await?;
        if done.status == 303 { Ok(()) } else { Err(wrong("no authenticator", &done)) }
    }

    async fn send(&mut self, method: &str, path: &str, body: &str) -> io::Result<Page> {
        self.send_with(method, path, None, body).await
    }

    /// Asks again when it is told to wait: that is an answer to nothing.
    async fn send_with(&mut self, method: &str, path: &str, token: Option<&str>, body: &str) -> io::Result<Page> {
        loop {
            let page = self.exchange(method, path, token, body).await?;
            if page.status != 429 {
                return Ok(page);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn exchange(&mut self, method: &str, path: &str, token: Option<&str>, body: &str) -> io::Result<Page> {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\norigin: {}\r\n", self.origin);
        head.push_str("sec-fetch-site: same-origin\r\n");
        if let Some(token) = token {
            head.push_str(&format!("authorization: Bearer {token}\r\n"));
        }
        if !cookies.is_empty() && token.is_none() {
            head.push_str(&format!("cookie: {}\r\n", cookies.join("; ")));
        }
        if method == "POST" {
            let length = body.len();
            head.push_str(&format!("content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n"));
        }
        let request = format!("{head}\r\n{body}");
        if self.used.elapsed() > REST {
            self.open().await?;
        }
        self.used = Instant::now();
        let reply = self.connection.exchange(request.as_bytes()).await?;
        for line in reply.head.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let Some((cookie, rest)) = value.trim().split_once(';') else { continue };
            if let Some((cookie, value)) = cookie.split_once('=')
                && name.eq_ignore_ascii_case("set-cookie")
            {
                self.cookies.retain(|(known, _)| known != cookie);
                if !rest.contains("Max-Age=0") {
                    self.cookies.push((cookie.to_owned(), value.to_owned()));
                }
            }
        }
        Ok(Page {
            status: reply.status,
            request_id: reply.header("x-request-id").unwrap_or_default().to_owned(),
            location: reply.header("location").unwrap_or_default().to_owned(),
            body: String::from_utf8_lossy(reply.body).into_owned(),
        })
    }
}

/// SPEC: RFC 6238 with the seed that the page shows, now.
fn one_time_code(page: &Page) -> io::Result<String> {
    let rest = page.body.split_once("class=\"key\">").and_then(|(_, rest)| rest.split_once('<'));
    let (key, _) = rest.ok_or_else(|| wrong("no seed", page))?;
    let value = |letter: u8| match letter {
        b'2'..=b'7' => letter - b'2' + 26,
        _ => letter.wrapping_sub(b'A'),
    };
    let (mut seed, mut bits, mut count) = (Vec::new(), 0u32, 0u32);
    for letter in key.bytes().filter(|letter| *letter != b' ') {
        bits = bits << 5 | u32::from(value(letter) & 31);
        count += 5;
        if count >= 8 {
            count -= 8;
            seed.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
        }
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &seed), &(now / 30).to_be_bytes());
    let at = usize::from(tag.as_ref().last().copied().unwrap_or_default() & 15);
    let four = tag.as_ref().get(at..at + 4).and_then(|four| four.try_into().ok()).unwrap_or_default();
    Ok(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
}
