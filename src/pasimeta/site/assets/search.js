// Search over all pages, without a server: the index is a script that is loaded when the box is first used.
(() => {
  "use strict";
  const MOST = 12, AROUND = 60;
  const box = document.getElementById("search");
  const list = document.getElementById("search-results");
  const status = document.getElementById("search-status");
  let loading = null, active = -1;

  const folded = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

  function index() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = "assets/search-index.js";
      script.onload = () => resolve(window.pasimetaSearch.map(([href, page, heading, text]) => ({
        href, page, heading, text, title: folded(`${page} ${heading}`), words: folded(text),
      })));
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  }

  // A term must begin a word, so that "age" doesn't find "percentage".
  function at(words, term) {
    let from = words.indexOf(term);
    while (from > 0 && /[\p{L}\p{N}]/u.test(words[from - 1])) from = words.indexOf(term, from + 1);
    return from;
  }

  function score(section, terms) {
    let total = 0;
    for (const term of terms) {
      const inTitle = at(section.title, term) >= 0, inWords = at(section.words, term) >= 0;
      if (!inTitle && !inWords) return 0;
      total += (inTitle ? 4 : 0) + (inWords ? 1 : 0);
    }
    if (at(section.words, terms.join(" ")) >= 0 || at(section.title, terms.join(" ")) >= 0) total += 3;
    return total;
  }

  function excerpt(section, terms) {
    const places = terms.map((term) => at(section.words, term)).filter((place) => place >= 0);
    const middle = places.length ? Math.min(...places) : 0;
    const start = Math.max(0, section.text.lastIndexOf(" ", Math.max(0, middle - AROUND)));
    const cut = section.text.slice(start, middle + 2 * AROUND).trim();
    return `${start > 0 ? "… " : ""}${cut}${middle + 2 * AROUND < section.text.length ? " …" : ""}`;
  }

  function option(section, terms, number) {
    const item = document.createElement("li");
    item.id = `search-result-${number}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    item.dataset.href = section.href;
    const title = document.createElement("strong"), words = document.createElement("span");
    title.textContent = section.heading && section.heading !== section.page
      ? `${section.page} › ${section.heading}` : section.page;
    words.textContent = excerpt(section, terms);
    item.append(title, words);
    return item;
  }

  function close() {
    list.hidden = true;
    active = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  }

  function select(number) {
    const items = [...list.children];
    if (!items.length) return;
    active = (number + items.length) % items.length;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === active)));
    box.setAttribute("aria-activedescendant", items[active].id);
    items[active].scrollIntoView({ block: "nearest" });
  }

  async function search() {
    const asked = box.value, terms = folded(asked).split(/\s+/).filter(Boolean);
    if (!terms.length) { list.replaceChildren(); status.textContent = ""; close(); return; }
    const sections = await index();
    if (box.value !== asked) return;
    const found = sections.map((section) => [score(section, terms), section]).filter(([points]) => points > 0)
      .sort((a, b) => b[0] - a[0]);
    list.replaceChildren(...found.slice(0, MOST).map(([, section], number) => option(section, terms, number)));
    active = -1;
    box.removeAttribute("aria-activedescendant");
    list.hidden = !found.length;
    box.setAttribute("aria-expanded", String(found.length > 0));
    const shown = found.length > MOST ? `, the first ${MOST} shown` : "";
    status.textContent = found.length ? `${found.length} found${shown}` : `Nothing found for ${asked}`;
    status.classList.toggle("out-of-sight", found.length > 0);
  }

  function go(item) { if (item) { close(); window.location.href = item.dataset.href; } }

  box.addEventListener("focus", () => { index(); });
  box.addEventListener("input", search);
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); list.hidden ? search() : select(active + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); select(active - 1); }
    else if (event.key === "Enter") { event.preventDefault(); go(list.children[Math.max(active, 0)]); }
    else if (event.key === "Escape") { close(); }
  });
  list.addEventListener("mousedown", (event) => { event.preventDefault(); go(event.target.closest("[role=option]")); });
  box.addEventListener("blur", close);
  document.addEventListener("keydown", (event) => {
    const typing = /^(input|textarea|select)$/i.test(document.activeElement?.tagName ?? "");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); box.focus(); }
  });
  box.closest("search").hidden = false;
})();
