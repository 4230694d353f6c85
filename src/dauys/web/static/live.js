// Keeps an open page current: when the record has grown, fetches the page again and swaps what changed in <main> and <footer>.
// Everything on the site works without it.
"use strict";
(() => {
  const { events, size } = document.body.dataset;
  const sign = document.getElementById("live");
  if (!events || !sign || !("EventSource" in window)) return;
  let shown = Number(size), wanted = shown, busy = false;

  const say = (state) => { sign.hidden = false; sign.dataset.state = state; sign.textContent = sign.dataset[state]; };

  // Equal nodes stay; a node of the same kind is changed in place, so focus, scroll and open details survive.
  const swap = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== 1 || old.nodeName !== fresh.nodeName || old.id !== fresh.id) { old.replaceWith(fresh.cloneNode(true)); return; }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const theirs = [...fresh.childNodes], ours = [...old.childNodes];
    theirs.forEach((node, at) => { if (ours[at]) swap(ours[at], node); else old.append(node.cloneNode(true)); });
    ours.slice(theirs.length).forEach((node) => node.remove());
  };

  const refresh = async () => {
    if (busy || wanted === shown) return;
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of ["main", "footer"]) {  // the footer says of which record the page is made
        const old = document.querySelector(`body > ${part}`), fresh = page.querySelector(`body > ${part}`);
        if (old && fresh) swap(old, fresh);
      }
      shown = Number(page.body.dataset.size);
      Object.assign(document.body.dataset, page.body.dataset);
      document.title = page.title;
      say("on");
    } catch { say("lost"); }
    busy = false;
    // grown again meanwhile: once more, but not faster than people can read
    if (wanted > shown) setTimeout(refresh, 1000);
  };

  const stream = new EventSource(events);
  stream.addEventListener("open", () => say("on"));
  stream.addEventListener("error", () => say("lost"));
  stream.addEventListener("size", (event) => { wanted = JSON.parse(event.data).size; refresh(); });
})();
