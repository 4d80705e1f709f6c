// Saves a reload: every 2 s the same address is fetched and each [data-live] region whose content changed is swapped.
// Without script the pages work the same, by links, forms and the reload button.
"use strict";
(() => {
  const every = 2000;

  const swap = (fresh) => {
    document.querySelectorAll("[data-live]").forEach((old) => {
      const next = fresh.getElementById(old.id);
      if (!next || next.innerHTML === old.dataset.seen) return;
      const first = old.dataset.seen === undefined;
      old.dataset.seen = next.innerHTML;
      if (first && next.innerHTML === old.innerHTML) return;
      const typing = old.contains(document.activeElement) && document.activeElement.matches("input, select");
      if (typing) return;
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      old.replaceChildren(...document.importNode(next, true).childNodes);
      if (old.id === "now") old.className = next.className;
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    });
  };

  const look = async () => {
    if (document.hidden) return;
    try {
      const here = new URL(location.href);
      here.searchParams.set("glance", "1");
      const answer = await fetch(here, { redirect: "error" });
      if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // The sandbox was stopped; the page keeps what it last knew.
    }
  };

  setInterval(look, every);
  document.addEventListener("visibilitychange", look);
})();
