//! Comms: side channels that a front end opens to the kernel.
//!
//! The kernel offers no target of its own yet. The widget manager's control target is accepted, since front ends open
//! it as soon as a page is loaded and wait for its answer; every other target is refused at once.

use std::collections::BTreeMap;

use jupyter_protocol::JupyterMessage;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::message::{Request, publication};

/// The target on which a widget manager asks for the states of all models.
const WIDGET_CONTROL: &str = "jupyter.widget.control";

/// The comms that are open: id to target.
#[derive(Debug, Default)]
pub struct Comms {
    open: Mutex<BTreeMap<String, String>>,
}

impl Comms {
    /// Takes a comm message; gives what is to be published in answer.
    pub fn receive(&self, request: &Request) -> Option<JupyterMessage> {
        let id = request.text("comm_id");
        match request.kind() {
            "comm_open" => {
                let target = request.text("target_name");
                if target == WIDGET_CONTROL {
                    self.open.lock().insert(id.to_string(), target.to_string());
                    return None;
                }
                tracing::debug!(target_name = target, "refused a comm: unknown target");
                Some(publication("comm_close", Some(&request.header), json!({"comm_id": id, "data": {}})))
            }
            "comm_msg" => {
                let method = request.content.pointer("/data/method").and_then(Value::as_str);
                if method != Some("request_states") || !self.open.lock().contains_key(id) {
                    tracing::debug!(comm = id, ?method, "ignored a comm message");
                    return None;
                }
                let data = json!({"method": "update_states", "states": {}, "buffer_paths": []});
                Some(publication("comm_msg", Some(&request.header), json!({"comm_id": id, "data": data})))
            }
            _ => {
                self.open.lock().remove(id);
                None
            }
        }
    }

    /// The `comms` that answer a `comm_info_request` for `target`, or for all if it is empty.
    pub fn info(&self, target: &str) -> Value {
        let open = self.open.lock();
        let asked = open.iter().filter(|(_, name)| target.is_empty() || *name == target);
        Value::Object(asked.map(|(id, name)| (id.clone(), json!({"target_name": name}))).collect())
    }
}
