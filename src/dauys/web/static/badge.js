// Checks an observer's badge on the device: the commission's Ed25519 signature, suspensions, the last day. Sends nothing.
// Where the browser has no Ed25519, or no script runs, the form is sent and the server answers.
"use strict";
(() => {
  const form = document.getElementById("badge-form"), worth = document.getElementById("worth");
  if (!form || !worth || !crypto.subtle) return;
  const { poll, key, zone } = form.dataset;
  const suspended = new Set([...form.dataset.badges.split(" "), ...form.dataset.codes.split(" ")].filter(Boolean));
  const needed = ["badge", "name", "of", "organisation", "poll", "salt", "until"];
  const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const sorted = (value) => JSON.stringify(Object.fromEntries(Object.keys(value).sort().map((name) => [name, value[name]])));

  const looked = async (text) => {
    let said;
    try { said = JSON.parse(text); atob(said.sig); } catch { return ["unread"]; }
    const names = said && typeof said === "object" && !Array.isArray(said) ? Object.keys(said) : [];
    const good = [...needed, "sig"].every((name) => names.includes(name)) && names.every((name) => typeof said[name] === "string" &&
      [...needed, "sig", "station"].includes(name)) && sorted(said) === text && btoa(atob(said.sig)) === said.sig && said.badge.startsWith(`${said.organisation}/`);
    if (!good) return ["unread"];
    const { sig, ...signed } = said, data = new TextEncoder();
    const held = await crypto.subtle.importKey("raw", bytes(key), { name: "Ed25519" }, false, ["verify"]);
    let true_ = false;
    try { true_ = await crypto.subtle.verify({ name: "Ed25519" }, held, bytes(sig), data.encode(sorted(signed))); } catch { return ["unread"]; }
    if (!true_) return ["forged"];
    if (said.poll !== poll) return ["forged", said];
    if (suspended.has(hex(await crypto.subtle.digest("SHA-256", data.encode(sorted(signed))))) || suspended.has(said.organisation)) return ["suspended", said];
    const today = new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(new Date());
    return [today > said.until ? "ended" : "valid", said];
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const [state, said] = await looked(form.elements.badge.value.trim());
      const card = document.createElement("div"), head = document.createElement("p"), strong = document.createElement("strong");
      card.className = "card"; card.dataset.state = state; strong.textContent = worth.dataset[state]; head.append(strong); card.append(head);
      for (const text of [said && [said.name, said.of, said.badge, said.until, said.station].filter(Boolean).join(" · "), worth.dataset.alone]) {
        if (!text) continue;
        const line = document.createElement("p"); line.textContent = text; card.append(line);
      }
      worth.replaceChildren(card);
    } catch { form.submit(); } // no Ed25519 here: the server answers
  });
})();
