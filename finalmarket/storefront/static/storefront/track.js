// Tells what people do, in the shape of Segment's HTTP API, to the tracking API of this house, by the channel's write
// key. Nothing is told and no id is made before somebody has agreed. What could not be sent is kept, and sent later
// under the same message ids: nothing is told twice.
import * as kept from "./kept.js";

const told = document.body.dataset;
const MOST_KEPT = 500;
const MOST_AT_ONCE = 50;
let visit = null;
let isSending = false;

export const consent = () => (told.place === "kiosk" ? "yes" : kept.get("consent"));

export function agree(word) {
  kept.set("consent", word);
  if (word !== "yes") {
    kept.drop("visitor");
    kept.drop("told");
  }
}

// At a kiosk everybody is a visitor of their own, and nothing of them stays.
export function beginVisit() {
  visit = kept.unique();
}

export function visitor() {
  if (consent() !== "yes" || !told.writeKey) return "";
  if (told.place === "kiosk") {
    if (!visit) beginVisit();
    return visit;
  }
  let id = kept.get("visitor");
  if (!id) kept.set("visitor", (id = kept.unique()));
  return id;
}

function keep(event) {
  const anonymousId = visitor();
  if (!anonymousId) return;
  const page = { path: location.pathname, title: document.title, referrer: document.referrer ? "internal" : "" };
  const one = {
    ...event, anonymousId, messageId: kept.unique(), timestamp: new Date().toISOString(),
    context: { library: { name: "finalmarket-storefront", version: "1" }, page, locale: document.documentElement.lang },
  };
  kept.set("told", [...kept.get("told", []), one].slice(-MOST_KEPT));
  send();
}

export const track = (event, properties = {}) => keep({ type: "track", event, properties });
export const page = (name, properties = {}) => keep({ type: "page", name, properties });

export async function send() {
  if (isSending || !told.writeKey) return;
  isSending = true;
  try {
    for (let batch = kept.get("told", []); batch.length; batch = kept.get("told", [])) {
      batch = batch.slice(0, MOST_AT_ONCE);
      const answer = await fetch("/v1/batch", {
        method: "POST", keepalive: true, credentials: "omit",
        headers: { "Content-Type": "application/json", "X-Write-Key": told.writeKey },
        body: JSON.stringify({ batch, sentAt: new Date().toISOString(), writeKey: told.writeKey }),
      });
      if (answer.status === 429 || answer.status >= 500) return;
      const sent = new Set(batch.map((one) => one.messageId));
      kept.set("told", kept.get("told", []).filter((one) => !sent.has(one.messageId)));
    }
  } catch {
    // No network: it is kept, and sent when there is one.
  } finally {
    isSending = false;
  }
}

addEventListener("online", send);
addEventListener("pageshow", send);
