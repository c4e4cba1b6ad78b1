"use strict";
// Keeps the open page up to date: parts of HTML, the leaning figure, and the guided calibration.
(() => {
  const url = document.body.dataset.live;
  const by = (id) => document.getElementById(id);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let source = null;
  let heard = Date.now();

  // The figure eases towards its target and rests when it has arrived.
  const angle = { flexion: null, lateral: null };
  const target = { flexion: null, lateral: null };
  const pending = [];
  let lastAngles = 0;
  let moving = 0;
  const draw = () => {
    for (const group of document.querySelectorAll(".trunk[data-axis]")) {
      const value = angle[group.dataset.axis];
      if (value === null || group.closest(".faint")) continue;
      group.setAttribute("transform", `rotate(${value.toFixed(1)} 100 130)`);
      const arm = group.querySelector(".arm-side");
      if (arm) arm.setAttribute("transform", `rotate(${(-0.85 * value).toFixed(1)} 100 76)`);
    }
  };
  const ease = () => {
    moving = 0;
    let far = false;
    for (const axis of ["flexion", "lateral"]) {
      if (target[axis] === null) continue;
      if (angle[axis] === null || calm.matches) angle[axis] = target[axis];
      const rest = target[axis] - angle[axis];
      angle[axis] += rest * 0.2;
      far = far || Math.abs(rest) > 0.1;
    }
    draw();
    if (far) move();
  };
  const move = () => { moving = moving || requestAnimationFrame(ease); };
  setInterval(() => {
    if (pending.length > 20) pending.splice(0, pending.length - 10);
    const next = pending.shift();
    if (next) { Object.assign(target, next); move(); }
  }, 100);

  // A screen reader hears a posture once it has lasted; flickering is not worth an interruption.
  let said = "";
  let toSay = 0;
  const speak = (text) => {
    clearTimeout(toSay);
    if (text && text !== said) toSay = setTimeout(() => { said = text; by("spoken").textContent = text; }, 5000);
  };

  const put = (id, html) => {
    const place = by(id);
    if (!place) return;
    const open = [...place.querySelectorAll("details[open][data-key]")].map((one) => one.dataset.key);
    place.innerHTML = html;
    for (const key of open) place.querySelector(`details[data-key="${key}"]`)?.setAttribute("open", "");
    if (id === "figure") draw();
    if (id !== "now") return;
    const now = place.firstElementChild.dataset;
    speak(now.spoken);
    if (Date.now() - lastAngles > 2500) {
      for (const axis of ["flexion", "lateral"]) if (axis in now) target[axis] = Number(now[axis]);
      move();
    }
  };

  const on = (name, act) => source.addEventListener(name, (event) => {
    heard = Date.now();
    by("lost").hidden = true;
    act(JSON.parse(event.data));
  });
  const connect = () => {
    if (source) source.close();
    heard = Date.now();
    source = new EventSource(url);
    on("beat", () => {});
    on("part", (part) => put(part.id, part.html));
    on("news", (news) => document.dispatchEvent(new CustomEvent("news", { detail: news })));
    on("angles", (angles) => {
      lastAngles = Date.now();
      angles.flexion.forEach((flexion, i) => pending.push({ flexion, lateral: angles.lateral[i] }));
    });
  };
  if (url) {
    connect();
    setInterval(() => {
      const silent = Date.now() - heard;
      if (silent > 9000) by("lost").hidden = false;
      if (silent > 15000) connect();
    }, 1000);
    // A phone that wakes has slept through everything: ask for the present at once.
    const wake = () => { if (!document.hidden && Date.now() - heard > 6000) connect(); };
    document.addEventListener("visibilitychange", wake);
    addEventListener("pageshow", wake);
    addEventListener("online", connect);
    addEventListener("pagehide", () => source.close());
  }

  // Small forms are sent in place, so that nothing typed elsewhere is lost.
  document.addEventListener("submit", async (event) => {
    if (event.defaultPrevented) return;
    const form = event.target;
    const toasted = form.closest("#toast");
    const said = toasted ? toasted.querySelector("p") : form.closest("section")?.querySelector(".said");
    if (!said) return;
    event.preventDefault();
    const body = new FormData(form, event.submitter);
    const headers = { accept: "application/json" };
    const sent = await fetch(form.action, { method: "POST", headers, body }).catch(() => null);
    const ok = sent !== null && sent.ok;
    said.classList.toggle("bad", !ok);
    said.textContent = ok ? document.body.dataset.saved
      : document.body.dataset.failed.replace("{detail}", sent ? (await sent.json()).detail : "");
    if (!ok) return;
    if (toasted) return toast.end(3000);
    if ("keep" in form.dataset) for (const field of form.elements) field.defaultValue = field.value;
    form.reset();
    if (form.parentElement.open) form.parentElement.open = false;
  });

  // What was said last, for a minute, with what may be done about it.
  const toast = (() => {
    const place = by("toast");
    if (!place) return null;
    const [text, buttons, judge] = ["p", ".buttons", ".judge"].map((name) => place.querySelector(name));
    let late = 0;
    const end = (ms) => {
      buttons.hidden = true;
      clearTimeout(late);
      late = setTimeout(() => { text.textContent = ""; }, ms);
    };
    place.querySelector(".close").addEventListener("click", () => end(0));
    const show = (words, nudge_ns) => {
      clearTimeout(late);
      text.textContent = words;
      text.classList.remove("bad");
      buttons.hidden = false;
      judge.hidden = !nudge_ns;
      if (nudge_ns) judge.elements.nudge_ns.value = nudge_ns;
      late = setTimeout(() => end(0), 60000);
    };
    return { show, end };
  })();

  // A nudge: on the page, as a short buzz where the browser can, and as a notification where the wearer asked for it.
  const notify = by("notify");
  let shower = null;
  if (notify) {
    const ask = notify.querySelector("button");
    const say = (text) => { notify.textContent = text; };
    const listen = async () => { shower = await navigator.serviceWorker.register("/sw.js"); say(notify.dataset.on); };
    const refuse = () => {
      say(`${notify.dataset.insecure} `);
      if (!notify.dataset.how) return;
      const how = notify.appendChild(document.createElement("a"));
      how.href = "/install";
      how.textContent = notify.dataset.how;
    };
    if (!window.isSecureContext) refuse();
    else if (!("serviceWorker" in navigator && "Notification" in window)) say(notify.dataset.unsupported);
    else if (Notification.permission === "granted") listen().catch(refuse);
    else ask.hidden = false;
    ask.addEventListener("click", async () => {
      if (await Notification.requestPermission() === "granted") listen().catch(refuse);
    });
  }
  document.addEventListener("news", (event) => {
    const { event: name, text, t_ns, age_s } = event.detail;
    if (!toast) return;
    if (["nudge_followed", "nudge_wrong"].includes(name)) toast.end(0);
    // An old nudge belongs in the list of the day, not on the skin.
    if (!["nudge", "break_due", "reminder"].includes(name) || age_s > 10) return;
    toast.show(text, name === "nudge" ? t_ns : "");
    if (navigator.vibrate) navigator.vibrate([80, 60, 80]);
    if (shower?.active) shower.active.postMessage({ title: notify.dataset.title, body: text });
  });

  const dialog = by("calibrate");
  if (dialog) {
    const form = by("calibrate-open").form;
    const words = dialog.dataset;
    const [count, say, go] = [".count", ".say", ".go"].map((name) => dialog.querySelector(name));
    let run = 0;
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    const show = (number, text) => { count.textContent = number; if (say.textContent !== text) say.textContent = text; };
    const countDown = async (mine, from, text) => {
      for (let n = from; n > 0 && mine === run; n--) { show(n, text); await wait(1000); }
    };
    const answer = (ms) => new Promise((done) => {
      const late = setTimeout(() => done(null), ms);
      document.addEventListener("news", function listen(event) {
        if (!["calibrated", "calibration_failed"].includes(event.detail.event)) return;
        document.removeEventListener("news", listen);
        clearTimeout(late);
        done(event.detail);
      });
    });
    const start = async () => {
      const mine = ++run;
      go.disabled = true;
      await countDown(mine, 5, words.ready);
      if (mine !== run) return;
      if (navigator.vibrate) navigator.vibrate(150);
      const result = answer(30000);
      const sent = await fetch(form.action, { method: "POST", headers: { accept: "application/json" } }).catch(() => null);
      if (mine !== run) return;
      if (!sent || !sent.ok) return end(mine, "", sent ? (await sent.json()).detail : words.timeout);
      await Promise.race([countDown(mine, 5, words.hold), result]);
      if (mine === run) show("…", words.waiting);
      const news = await result;
      if (navigator.vibrate) navigator.vibrate([100, 80, 100]);
      if (!news) return end(mine, "", words.timeout);
      if (news.event === "calibrated") return end(mine, "✓", `${words.done}. ${news.text || words.doneText}`);
      return end(mine, "", `${words.failed}. ${news.text || words.failedText}`);
    };
    const end = (mine, mark, text) => {
      if (mine !== run) return;
      run++;
      show(mark, text);
      go.disabled = false;
      go.textContent = words.again;
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      show("", "");
      dialog.showModal();
    });
    go.addEventListener("click", start);
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => { run++; go.disabled = false; });
  }
})();
