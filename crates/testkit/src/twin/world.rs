//! One of the two worlds: a server that the script made, asked as the caller.

use super::{
    ask::Ask,
    script::{Event, Moment},
};
use crate::{Reply, Server};
use serde_json::{Value, json};

/// A server whose content a script made, and a token of the caller.
pub(super) struct World {
    server: Server,
    token: String,
    /// The last `next` link.
    next: Option<String>,
}

impl World {
    /// `which`: the first or the second world of the script.
    pub(super) fn new(moments: &[Moment], which: usize, scope: &str) -> Self {
        let server = Server::new();
        for moment in moments {
            server.clock().advance_s(moment.after_s);
            if moment.copies > 1 {
                crowd(&server, moment, which);
                continue;
            }
            let path = format!("{}/{}", moment.kind.name(), moment.id);
            // A request id of our own, so that the server's count of requests stays the same.
            let request = |method| server.request(method, &path).as_operator().header("x-request-id", "script");
            let reply = match &moment.events[which] {
                Event::Nothing => continue,
                Event::Put(shape) => request("PUT").json(&shape.json()).send(),
                Event::Delete => request("DELETE").send(),
            };
            assert!(reply.status < 300, "the script is at fault: {} {}", path, reply.text());
        }
        server.clock().advance_s(1);
        let token = server.token_for(scope);
        Self { server, token, next: None }
    }

    /// The answer to one request; `None` when there is no page to go on to.
    pub(super) fn ask(&mut self, ask: &Ask) -> Option<Reply> {
        self.server.clock().advance_s(1);
        let reply = match ask {
            Ask::Next => {
                let url = self.next.take()?;
                self.server.request("GET", &url).token(&self.token).send()
            }
            Ask::Send(plain) => {
                let mut request = self.server.request(plain.method, &plain.path).token(&self.token);
                for (name, value) in &plain.headers {
                    request = request.header(name, value);
                }
                if let Some((media_type, body)) = &plain.body {
                    request = request.body(media_type, body.clone());
                }
                request.send()
            }
        };
        if reply.status == 200
            && reply.header("content-type").is_some()
            && !reply.body.is_empty()
            && let Some(next) = reply.link("next")
        {
            self.next = Some(next);
        }
        Some(reply)
    }
}

/// Makes a crowd in one commit.
fn crowd(server: &Server, moment: &Moment, which: usize) {
    let Event::Put(shape) = &moment.events[which] else { return };
    let entries: Vec<Value> = (0..moment.copies)
        .map(|copy| {
            let mut resource = shape.json();
            let id = format!("{}-{copy}", moment.id);
            resource["id"] = json!(id);
            let url = format!("{}/{id}", moment.kind.name());
            json!({"resource": resource, "request": {"method": "PUT", "url": url}})
        })
        .collect();
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    let reply = server.request("POST", "").as_operator().header("x-request-id", "script").json(&bundle).send();
    assert!(reply.status < 300, "the script is at fault: {}", reply.text());
}
