// Saves reloads, nothing more: swaps the live part of a page, shows times as local ones, copies the case code.
(() => {
  "use strict";
  const panel = document.getElementById("panel");
  const said = document.getElementById("said");

  const localTimes = (root) => root.querySelectorAll("time").forEach((time) => {
    const at = new Date(time.dateTime);
    const clock = { hour: "2-digit", minute: "2-digit" };
    const today = at.toDateString() === new Date().toDateString();
    const lang = `${document.documentElement.lang}-u-nu-latn`; // the same digits as in numbers, codes and addresses
    time.textContent = today ? at.toLocaleTimeString(lang, clock) : at.toLocaleString(lang, { day: "numeric", month: "short", ...clock });
  });

  document.querySelectorAll("[data-copy]").forEach((button) => {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      said.textContent = button.textContent = button.dataset.done;
    });
  });

  let choosing = false;
  panel?.addEventListener("input", () => { choosing = true; });

  const swap = (html) => {
    const now = panel.firstElementChild;
    const fresh = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    // Somebody who is choosing is not interrupted, unless the step itself has moved on.
    if (fresh.className === now.className && (choosing || now.querySelector("details[open]"))) return false;
    choosing = false;
    const focus = document.activeElement && document.activeElement.id;
    localTimes(fresh);
    now.replaceWith(fresh);
    if (focus) document.getElementById(focus)?.focus();
    document.title = fresh.dataset.title;
    said.textContent = fresh.querySelector("h1").textContent;
    return true;
  };

  let pause = 2000;
  const watch = async () => {
    if (document.hidden) return document.addEventListener("visibilitychange", watch, { once: true });
    try {
      const answer = await fetch(panel.dataset.watch, { headers: { "If-None-Match": panel.dataset.etag }, redirect: "error" });
      if (answer.status === 401 || answer.status === 409) return location.reload();
      if (answer.status === 200 && swap(await answer.text())) panel.dataset.etag = answer.headers.get("ETag");
      if (answer.headers.get("X-Watch") === "stop") return undefined;
      pause = answer.status === 200 ? 2000 : Math.min(pause * 1.2, 15000);
    } catch {
      pause = Math.min(pause * 2, 60000);
    }
    return setTimeout(watch, pause);
  };

  localTimes(document);
  if (panel && panel.dataset.watch) setTimeout(watch, pause);
})();
