// What was written on this phone and did not arrive yet? Reports and photos in IndexedDB, and how they are sent, once each.
//
// A report's key is PHONE/NUMBER: the server takes it once however often it is sent, and knows the order in which they were written.
"use strict";

const Field = (() => {
  const STORES = ["reports", "photos", "phone"];
  const WAIT_REPORT = 30000, WAIT_PHOTO = 180000;
  let opened;

  function open() {
    opened ??= new Promise((done, fail) => {
      const ask = indexedDB.open("dauys-field", 1);
      ask.onupgradeneeded = () => {
        ask.result.createObjectStore("reports", {keyPath: "key"});
        ask.result.createObjectStore("photos", {keyPath: "key"});
        ask.result.createObjectStore("phone");
      };
      ask.onsuccess = () => done(ask.result);
      ask.onerror = () => fail(ask.error);
    });
    return opened;
  }

  const answer = (ask) => new Promise((done, fail) => { ask.onsuccess = () => done(ask.result); ask.onerror = () => fail(ask.error); });

  // Runs `act(stores)` in one transaction; what it gives counts once the transaction is on the disk.
  async function within(act) {
    const task = (await open()).transaction(STORES, "readwrite", {durability: "strict"});
    const ended = new Promise((done, fail) => { task.oncomplete = done; task.onabort = task.onerror = () => fail(task.error); });
    const found = await act(Object.fromEntries(STORES.map((name) => [name, task.objectStore(name)])));
    await ended;
    return found;
  }

  const changed = () => document.dispatchEvent(new Event("field"));

  function name() {
    return [...crypto.getRandomValues(new Uint8Array(9))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // Keeps a report and its photos (blobs), both or neither. Gives the report's key.
  async function keep(report, blobs) {
    const key = await within(async ({reports, photos, phone}) => {
      const id = (await answer(phone.get("id"))) ?? name();
      const number = ((await answer(phone.get("number"))) ?? 0) + 1;
      phone.put(id, "id");
      phone.put(number, "number");
      const made = `${id}/${number}`;
      const keys = blobs.map((blob, n) => `${made}/${n}`);
      blobs.forEach((blob, n) => photos.put({key: keys[n], blob, type: blob.type, sha256: ""}));
      reports.put({...report, key: made, number, photos: keys, state: "waiting"});
      return made;
    });
    changed();
    return key;
  }

  async function all(who) {
    const found = await within(({reports}) => answer(reports.getAll()));
    return found.filter((one) => one.who === who).sort((a, b) => a.number - b.number);
  }

  const get = (key) => within(({reports}) => answer(reports.get(key)));

  async function drop(key) {
    await within(async ({reports, photos}) => {
      const report = await answer(reports.get(key));
      for (const one of report?.photos ?? []) photos.delete(one);
      reports.delete(key);
    });
    changed();
  }

  async function change(key, what) {
    await within(async ({reports, photos}) => {
      const report = await answer(reports.get(key));
      if (!report) return;
      reports.put({...report, ...what});
      if (what.state === "sent") for (const one of report.photos) photos.delete(one);
    });
    changed();
  }

  // Posts, and says what came of it: {ok}, {refused} for what will never be taken, {wait} for what may be later, {door}: sign in.
  async function post(path, body, type, wait) {
    let said;
    try {
      said = await fetch(path, {
        method: "POST", body, headers: {"Content-Type": type}, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(wait),
      });
      const read = await said.json();
      if (said.ok) return {ok: read};
      if (said.status === 401) return {door: true};
      return [408, 425, 429].includes(said.status) || said.status >= 500 ? {wait: true} : {refused: read.error};
    } catch {
      return {wait: true};
    }
  }

  async function sendPhotos(report, query) {
    const named = [];
    for (const key of report.photos) {
      const photo = await within(({photos}) => answer(photos.get(key)));
      if (!photo) continue;
      if (!photo.sha256) {
        const found = await post(`/o/api/photos${query}`, photo.blob, photo.type || "application/octet-stream", WAIT_PHOTO);
        if (!found.ok) return found;
        photo.sha256 = found.ok.sha256;
        await within(({photos}) => answer(photos.put(photo)));
      }
      named.push(photo.sha256);
    }
    return {ok: named};
  }

  async function sendOne(report, query) {
    await change(report.key, {state: "sending"});
    const shots = await sendPhotos(report, query);
    let found = shots;
    if (shots.ok) {
      const {key, station, form, contest, answers, written} = report;
      const sent = new Date().toISOString();
      const body = JSON.stringify({key, station, form, contest, answers, written, sent, photos: shots.ok});
      found = await post(`/o/api/reports${query}`, body, "application/json", WAIT_REPORT);
    }
    if (found.ok) await change(report.key, {state: "sent", report: found.ok.report, flags: found.ok.flags, asked: found.ok.asked});
    else if (found.refused) await change(report.key, {state: "refused", why: found.refused});
    else await change(report.key, {state: "waiting"});
    return found;
  }

  // Sends what waits, oldest first; stops where the wire is cut. Gives "door" where the observer has to sign in again.
  async function send(who, lang) {
    const run = async () => {
      for (const report of await all(who)) {
        if (report.state !== "waiting" && report.state !== "sending") continue;
        const found = await sendOne(report, `?lang=${lang}`);
        if (found.door) return "door";
        if (found.wait) return "wait";
      }
      return "done";
    };
    return navigator.locks ? navigator.locks.request("dauys-field", run) : run();
  }

  return {all, drop, get, keep, send};
})();
