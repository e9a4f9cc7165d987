// Keeps the app's shell, so that it opens without a network: pages as they were seen last, scripts and styles. Pages are
// the same for everybody; what is somebody's comes by the API, of which nothing is kept.
const VERSION = "VERSION_OF_THE_HOUSE";
const SHELL = `shop-${VERSION}-${new URL(self.registration.scope).pathname}`;
const FILES = ["shop.css", "shop.js", "kept.js", "api.js", "track.js", "show.js", "basket.js", "product.js", "cart.js",
  "checkout.js", "order.js", "account.js", "icon.svg"].map((name) => `/static/storefront/${name}`);
const PAGES = ["", "cart/", "account/", "offline/"];
const MOST_PAGES = 60;

self.addEventListener("install", (event) => {
  const pages = PAGES.map((name) => new URL(name, self.registration.scope).pathname);
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll([...FILES, ...pages])).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const mine = (name) => name.endsWith(new URL(self.registration.scope).pathname) && name !== SHELL;
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter(mine).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

async function page(request) {
  const cache = await caches.open(SHELL);
  try {
    const answer = await fetch(request);
    if (answer.ok) {
      const known = await cache.keys();
      if (known.length > MOST_PAGES) await cache.delete(known.find((one) => one.url.includes("/p/")) || known[0]);
      await cache.put(request, answer.clone());
    }
    return answer;
  } catch {
    return (await cache.match(request)) || cache.match(new URL("offline/", self.registration.scope).pathname);
  }
}

async function file(request) {
  const cache = await caches.open(SHELL);
  const known = await cache.match(request);
  const fresh = fetch(request).then((answer) => {
    if (answer.ok) cache.put(request, answer.clone());
    return answer;
  });
  if (!known) return fresh;
  fresh.catch(() => undefined);
  return known;
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate") event.respondWith(page(event.request));
  else if (url.pathname.startsWith("/static/storefront/")) event.respondWith(file(event.request));
});
