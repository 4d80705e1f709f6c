// Saves a press of the button: what is typed is searched for, and the answer is put into the page.
(() => {
  "use strict";
  const form = document.querySelector("[data-ahead]");
  let pause, turn = 0;

  const show = async (answer, mine) => {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("found");
    if (!found || mine !== turn) return;
    document.getElementById("found").replaceWith(found);
    const again = found.querySelector("[data-again]");
    if (again) pause = setTimeout(async () => show(await fetch(again.href), mine), 1000);
  };

  form?.addEventListener("input", () => {
    clearTimeout(pause);
    const mine = ++turn;
    pause = setTimeout(async () => {
      if (form.checkValidity() && form.elements.words.value.trim().length > 1) {
        show(await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }), mine);
      }
    }, 400);
  });
})();
