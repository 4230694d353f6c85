// What does an observer's page do beyond posting its form? Keeps what is written, shows what waits, makes photos small.
"use strict";

(() => {
  const {who, lang, worker} = document.body.dataset;
  const at = (id) => document.getElementById(id);
  const LONGEST = 2000, LARGEST = 10 << 20;

  function element(name, words, kind) {
    const made = document.createElement(name);
    if (words) made.textContent = words;
    if (kind) made.className = kind;
    return made;
  }

  // ---- pages that open with the wire cut
  async function keepPages() {
    if (!who || !("serviceWorker" in navigator)) return;
    await navigator.serviceWorker.register(worker, {scope: `/${lang}/o`});
    const active = (await navigator.serviceWorker.ready).active;
    const pages = [...document.querySelectorAll("#forms a")].map((link) => link.pathname);
    const parts = [...document.querySelectorAll('link[rel="stylesheet"], link[rel="icon"], script[src]')].map((one) => one.href || one.src);
    const talk = new MessageChannel();
    talk.port1.onmessage = (message) => { if (at("ready")) at("ready").hidden = !message.data.kept; };
    active.postMessage({keep: [`/${lang}/o`, `/${lang}/o/rights`, ...pages], parts}, [talk.port2]);
  }

  // ---- sending
  async function send() {
    if (!who || !window.indexedDB) return;
    const said = await Field.send(who, lang);
    at("again").hidden = said !== "door";
    at("cut").hidden = !(said === "wait" || !navigator.onLine);
  }

  // ---- what is on this phone
  function row(one, list) {
    const words = list.dataset, item = element("li", "", "card");
    const link = document.querySelector(`#forms a[data-form="${one.form}"][data-contest="${one.contest}"]`);
    const head = element("p"), kinds = {sent: "badge good", refused: "badge bad"};
    head.append(element("strong", link ? link.textContent.trim() : one.form), ` · ${one.station} · ${new Date(one.written).toLocaleTimeString(lang, {hour: "2-digit", minute: "2-digit"})} `,
      element("span", words[one.state], kinds[one.state] ?? "badge note"));
    item.append(head);
    item.dataset.state = one.state;
    if (one.state === "refused") item.append(element("p", one.why.text ?? one.why.message), element("p", [one.why.check, one.why.field, one.why.found, one.why.expected].filter(Boolean).join(" · "), "small"));
    for (const flag of one.flags ?? []) item.append(element("p", `${flag.check} ${flag.text[lang] ?? ""}`, "small"));
    if (one.asked?.length) item.append(element("p", `${words.ask} ${one.asked.map((name) => words[name]).join(", ")}`, "warn"));
    const acts = element("p", "", "actions");
    if (link && (one.state === "refused" || one.asked?.length)) {
      const again = element("a", words.again, "button second");
      again.href = `${link.pathname}?again=${encodeURIComponent(one.key)}`;
      acts.append(again);
    }
    if (one.state === "refused" || one.state === "sent") {
      const drop = element("button", words.drop, "plain");
      drop.type = "button";
      drop.addEventListener("click", () => Field.drop(one.key));
      acts.append(drop);
    }
    if (acts.children.length) item.append(acts);
    return item;
  }

  async function show() {
    const list = at("kept-list");
    if (!list || !window.indexedDB) return;
    const kept = await Field.all(who), came = new Set([...document.querySelectorAll("[data-came]")].map((one) => one.dataset.came));
    const shown = kept.filter((one) => one.state !== "sent" || !came.has(one.key)).reverse();
    list.replaceChildren(...shown.map((one) => row(one, list)));
    at("kept").hidden = !shown.length;
    at("now").hidden = !kept.some((one) => one.state === "waiting");
    for (const link of document.querySelectorAll("#forms a")) {
      const done = kept.filter((one) => one.form === link.dataset.form && one.contest === link.dataset.contest && one.state !== "refused").length;
      if (done) link.dataset.done = done; else delete link.dataset.done;
    }
  }

  // ---- the form
  async function isHeic(file) {
    const head = new TextDecoder("latin1").decode(await file.slice(4, 12).arrayBuffer());
    return /^ftyp(?:he[iv]|mif1|msf1)/.test(head);
  }

  // A picture as JPEG, small. A HEIC, too, where the browser can show it; where it cannot, the office would refuse it (O.111).
  async function small(file) {
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {  // a kind that this browser cannot show: it goes as it is
      if (await isHeic(file)) throw new Error("heic");
      if (file.size > LARGEST) throw new Error("large");
      return file;
    }
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height)), canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82));
    if (!blob) throw new Error("large");
    return blob;
  }

  function conditions(form) {
    for (const asked of form.querySelectorAll("[data-only-if]")) {
      const chosen = new FormData(form).get(asked.dataset.onlyIf);
      asked.hidden = chosen !== asked.dataset.onlyIs;
      for (const field of asked.querySelectorAll("input, textarea")) field.disabled = asked.hidden;
    }
  }

  async function again(form) {
    const key = new URLSearchParams(location.search).get("again"), before = key && (await Field.get(key));
    if (!before || before.form !== form.dataset.form) return null;
    for (const [name, value] of [["station", before.station], ...Object.entries(before.answers).map(([n, v]) => [`a-${n}`, v])]) {
      const field = form.elements[name];
      if (field) field.value = value;
    }
    return before;
  }

  async function ready(form) {
    let blobs = [], before = null;
    const pick = form.querySelector('input[type="file"]');
    pick?.addEventListener("change", async () => {
      form.querySelector("button.go").disabled = true;
      pick.setCustomValidity("");
      try {
        blobs = await Promise.all([...pick.files].map(small));
        at("shots").replaceChildren(...blobs.map((blob) => {
          const item = element("li"), image = element("img");
          image.alt = "";
          image.src = URL.createObjectURL(blob);
          item.append(image, element("span", `${Math.ceil(blob.size / 1024)} KiB`, "small"));
          return item;
        }));
      } catch (fault) {
        blobs = [];
        pick.setCustomValidity(form.dataset[fault.message] ?? form.dataset.large);
        pick.reportValidity();
      }
      form.querySelector("button.go").disabled = false;
    });
    form.addEventListener("change", () => conditions(form));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const typed = [...new FormData(form)].filter(([name, value]) => name.startsWith("a-") && typeof value === "string" && value.trim());
      const report = {
        who, form: form.dataset.form, contest: form.dataset.contest, station: new FormData(form).get("station") ?? "",
        answers: Object.fromEntries(typed.map(([name, value]) => [name.slice(2), value])), written: new Date().toISOString(),
      };
      form.querySelector("button.go").disabled = true;
      try {
        await Field.keep(report, blobs);
        if (before?.state === "refused") await Field.drop(before.key);
      } catch {  // this browser keeps nothing: the form goes as without this program
        form.submit();
        return;
      }
      location.assign(`/${lang}/o`);
    });
    if (window.indexedDB) before = await again(form);
    conditions(form);
    form.querySelector(".wrong input, .wrong textarea")?.focus();
  }

  const form = at("report");
  if (form && who && window.indexedDB) ready(form);
  if (at("sign-in") && location.search.includes("code=")) history.replaceState(null, "", location.pathname);  // the code leaves the address
  at("out")?.addEventListener("submit", (event) => {
    if (!at("kept")?.hidden && document.querySelector('#kept-list [data-state="waiting"]') && !confirm(at("out").dataset.ask)) event.preventDefault();
    else navigator.serviceWorker?.controller?.postMessage({forget: true});
  });
  at("now")?.addEventListener("click", send);
  document.addEventListener("field", show);
  window.addEventListener("online", send);
  window.addEventListener("offline", () => { at("cut").hidden = false; });
  at("cut").hidden = navigator.onLine;
  navigator.storage?.persist?.();
  show().then(send);
  setInterval(send, 20000);
  keepPages().catch(() => {});  // without HTTPS a browser keeps no pages; forms and sending work all the same
})();
