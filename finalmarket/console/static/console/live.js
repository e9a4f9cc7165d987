// Pages that keep themselves up to date. A part says what it shows: <section id="tiles" data-live="orders figures:3,4">,
// all orders and the figures of these two; with data-live-ids="17 18" all topics are about these records only. When the hub says that something of it changed, the page is
// fetched anew without its frame and the parts are put in place. One tab of a browser listens and tells the others.
(() => {
  "use strict";

  const LEAST_PAUSE_MS = 1000;
  const STALE_MS = 60000;
  const PAUSED = "fm-live-paused";
  const source = document.querySelector("meta[name=fm-live]");
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("fm-live") : null;
  let state = "starting";
  let due = new Set();
  let timer = null;
  let lastMs = 0;
  let freshAt = Date.now();
  let failures = 0;
  let stream = null;
  let isHeard = false;

  function parts() {
    return [...document.querySelectorAll("[data-live][id]")];
  }

  function isPaused() {
    return localStorage.getItem(PAUSED) === "1";
  }

  function show(next) {
    state = next;
    const sign = document.getElementById("fm-live");
    if (!sign) return;
    const shown = isPaused() ? "paused" : state;
    sign.hidden = parts().length === 0;
    sign.dataset.state = shown;
    sign.setAttribute("aria-pressed", String(!isPaused()));
    sign.querySelector("[data-word]").textContent = sign.dataset[shown] || shown;
  }

  // Whether a part is about what changed. {topic: [ids] or null}; null stands for more than can be named.
  function concerns(part, changed) {
    return part.dataset.live.split(" ").some((word) => {
      const [topic, named] = word.split(":");
      if (!(topic in changed)) return false;
      const ids = named ? named.split(",") : part.dataset.liveIds ? part.dataset.liveIds.split(" ") : null;
      if (!ids || changed[topic] === null) return true;
      const ours = new Set(ids);
      return changed[topic].some((id) => ours.has(String(id)));
    });
  }

  function heard(changed) {
    const concerned = parts().filter((part) => concerns(part, changed)).map((part) => part.id);
    concerned.forEach((id) => due.add(id));
    if (due.size) later();
  }

  function all() {
    parts().forEach((part) => due.add(part.id));
    if (due.size) later();
  }

  // A slow page is asked less often: it gets four times as long to rest as it took.
  function later() {
    if (timer || isPaused() || document.hidden) return;
    const rest = Math.max(LEAST_PAUSE_MS, lastMs * 4) - (Date.now() - freshAt);
    timer = setTimeout(fetchParts, Math.max(0, rest));
  }

  // Who types, stands on a button with the keyboard, has chosen something or has a dialog open is not disturbed: the
  // part waits until that is over.
  const BUSY = "input, select, textarea, button:focus-visible, summary:focus-visible";
  function isBusy(part) {
    const active = document.activeElement;
    if (active && part.contains(active) && active.matches(BUSY)) return true;
    if (part.querySelector("dialog[open]")) return true;
    return [...part.querySelectorAll("input, textarea, select")].some((field) => {
      if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
      if (field.tagName === "SELECT") {
        const first = [...field.options].some((one) => one.defaultSelected);
        return [...field.options].some((one, at) => one.selected !== (first ? one.defaultSelected : at === 0));
      }
      return field.type !== "hidden" && field.value !== field.defaultValue;
    });
  }

  async function fetchParts() {
    timer = null;
    const wanted = [...due];
    due = new Set();
    const began = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": wanted.join(",") }, credentials: "same-origin" });
      if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      wanted.forEach((id) => replace(id, fresh.getElementById(id)));
      document.dispatchEvent(new CustomEvent("fm-live:replaced"));
    } catch (error) {
      wanted.forEach((id) => due.add(id));
      setTimeout(later, 10000);
    }
    freshAt = Date.now();
    lastMs = freshAt - began;
    if (due.size) later();
  }

  function replace(id, fresh) {
    const old = document.getElementById(id);
    if (!old || !fresh) return;
    if (isBusy(old)) { due.add(id); return; }
    const focus = document.activeElement && old.contains(document.activeElement) ? place(old, document.activeElement) : null;
    const scrolls = [...old.querySelectorAll(".fm-scroll")].map((one) => [one.scrollLeft, one.scrollTop]);
    mark(old, fresh);
    keepOpen(old, fresh);
    old.replaceWith(fresh);
    fresh.querySelectorAll(".fm-scroll").forEach((one, at) => {
      if (scrolls[at]) [one.scrollLeft, one.scrollTop] = scrolls[at];
    });
    if (focus) again(fresh, focus);
    if (window.htmx) htmx.process(fresh);
  }

  // How to find what was focused, by its id, address or position, so that whoever uses the keyboard stays where they are.
  function place(part, element) {
    const scroll = [...part.querySelectorAll(".fm-scroll")].indexOf(element);
    if (scroll >= 0) return (fresh) => fresh.querySelectorAll(".fm-scroll")[scroll];
    const name = element.id ? `#${CSS.escape(element.id)}`
      : element.getAttribute("href") ? `[href="${CSS.escape(element.getAttribute("href"))}"]`
      : element.getAttribute("hx-get") ? `[hx-get="${CSS.escape(element.getAttribute("hx-get"))}"]` : null;
    if (name) return (fresh) => fresh.querySelector(name);
    return element === part ? (fresh) => fresh : null;
  }

  function again(part, find) {
    const found = find(part);
    if (found) found.focus({ preventScroll: true });
  }

  // What was opened stays open, by its position; where there are more or fewer by now, the position says nothing.
  function keepOpen(old, fresh) {
    const [before, now] = [old, fresh].map((part) => [...part.querySelectorAll("details")]);
    if (before.length === now.length) now.forEach((one, at) => { one.open = before[at].open; });
  }

  // Rows and tiles that say something else than before are marked for a moment.
  function mark(old, fresh) {
    const before = new Map([...old.querySelectorAll("[data-row]")].map((one) => [one.dataset.row, one.textContent]));
    fresh.querySelectorAll("[data-row]").forEach((one) => {
      if (before.get(one.dataset.row) !== one.textContent) one.classList.add("fm-changed");
    });
  }

  // ---- the stream ---------------------------------------------------------------------------------------------------

  function pass(kind, data) {
    if (channel) channel.postMessage({ kind, data });
    take(kind, data);
  }

  function take(kind, data) {
    if (kind === "changed") heard(data);
    else if (kind === "state") show(data);
    else if (kind === "again") all();
  }

  function listen(ended) {
    stream = new EventSource(source.content, { withCredentials: true });
    stream.addEventListener("hello", () => {
      failures = 0;
      pass("state", "live");
      // After a gap, or when the page was long in coming, something may have been missed.
      if (isHeard || performance.now() > 4000) pass("again", null);
      isHeard = true;
    });
    stream.addEventListener("deaf", () => pass("state", "waiting"));
    stream.addEventListener("changed", (event) => pass("changed", JSON.parse(event.data)));
    stream.addEventListener("bye", () => stop(ended));
    stream.addEventListener("error", () => stop(ended));
  }

  // After a failure ever longer, up to a minute, and never all at once; meanwhile the page looks for itself.
  function stop(ended) {
    stream.close();
    failures += 1;
    pass("state", failures > 2 ? "looking" : "waiting");
    const most = Math.min(60000, 1000 * 2 ** failures);
    setTimeout(ended, most / 2 + Math.random() * most / 2);
  }

  function keepListening() {
    listen(keepListening);
  }

  function begin() {
    show("starting");
    if (channel) channel.addEventListener("message", (event) => take(event.data.kind, event.data.data));
    if (source && source.content) {
      // The lock is held by one tab until it is closed; then the next one gets it.
      if (channel && navigator.locks) {
        navigator.locks.request("fm-live", () => new Promise(keepListening));
        channel.postMessage({ kind: "who", data: null });
        channel.addEventListener("message", (event) => {
          if (event.data.kind === "who" && stream) channel.postMessage({ kind: "state", data: state });
        });
      } else {
        keepListening();
      }
    } else {
      show("looking");
    }
    setInterval(() => { if (Date.now() - freshAt > (state === "live" ? STALE_MS : STALE_MS / 2)) all(); }, 5000);
    document.addEventListener("visibilitychange", () => { if (!document.hidden && due.size) later(); });
    document.addEventListener("focusout", () => { if (due.size) later(); });
    const sign = document.getElementById("fm-live");
    if (sign) sign.addEventListener("click", () => {
      localStorage.setItem(PAUSED, isPaused() ? "0" : "1");
      show(state);
      if (!isPaused()) all();
    });
  }

  document.addEventListener("DOMContentLoaded", begin);
  window.addEventListener("pagehide", () => { if (stream) stream.close(); });
})();
