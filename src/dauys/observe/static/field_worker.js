// Which pages open with the wire cut? Those of the observer's phone, as they were last seen; from the wire wherever there is one.
"use strict";

const KEPT = "dauys-field-1";
const PAGE = /^\/(kk|ru|en)\/o(\/|$)/;
const PATIENCE = 6000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  const {keep, parts, forget} = event.data;
  if (forget) event.waitUntil(caches.delete(KEPT));
  if (keep) event.waitUntil(keepAll(keep, parts).then((kept) => event.ports[0]?.postMessage({kept})));
});

self.addEventListener("fetch", (event) => {
  const {request} = event, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(part(request));
  else if (PAGE.test(url.pathname)) event.respondWith(page(request, url));
});

async function keepAll(pages, parts) {
  const kept = await caches.open(KEPT);
  try {
    for (const one of parts) if (!(await kept.match(one))) await kept.add(one);
    for (const one of pages) {
      const found = await fetch(one, {credentials: "same-origin", cache: "no-store", redirect: "error"});
      if (found.ok) await kept.put(one, found);
    }
    return true;
  } catch {
    return false;
  }
}

async function part(request) {
  return (await caches.match(request)) ?? fetch(request);
}

// Static files bear a mark of their content in the address: what is kept is right. Pages are asked for, and kept as they were.
async function page(request, url) {
  try {
    const found = await fetch(request, {signal: AbortSignal.timeout(PATIENCE)});
    if (found.ok && found.type === "basic" && !found.redirected && !url.search) {
      const kept = await caches.open(KEPT);
      await kept.put(url.pathname, found.clone());
    }
    return found;
  } catch {
    const kept = await caches.open(KEPT);
    return (await kept.match(url.pathname)) ?? Response.error();
  }
}
