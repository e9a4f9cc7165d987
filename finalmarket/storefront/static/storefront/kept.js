// What a page keeps in the browser, for its shop alone; in memory where the browser keeps nothing.
const told = document.body.dataset;
const prefix = `fm:${told.place}:${told.channel}:`;
const memory = new Map();

export function get(name, otherwise = null) {
  try {
    const text = localStorage.getItem(prefix + name);
    return text === null ? (memory.get(name) ?? otherwise) : JSON.parse(text);
  } catch {
    return memory.get(name) ?? otherwise;
  }
}

export function set(name, value) {
  memory.set(name, value);
  try {
    localStorage.setItem(prefix + name, JSON.stringify(value));
  } catch {
    // Private windows and full disks: memory has it as long as the page is open, and what was kept before is old.
    forget(name);
  }
}

export function drop(name) {
  memory.delete(name);
  forget(name);
}

function forget(name) {
  try {
    localStorage.removeItem(prefix + name);
  } catch {
    // The browser lets the page keep nothing, so nothing was kept.
  }
}

export function unique() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
