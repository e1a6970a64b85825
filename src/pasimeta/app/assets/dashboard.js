// The form is the state: what it holds goes to Python as a query, and what Python answers goes into the regions.

const LISTS = ["product_classes", "designs"];

function asked(form) {
  const query = [];
  for (const name of LISTS) {
    const chosen = [...form.querySelectorAll(`input[name="${name}"]:checked`)].map((box) => box.value);
    query.push(`${name}=${chosen.join(",")}`);
  }
  for (const [name, value] of new FormData(form)) {
    if (!LISTS.includes(name)) query.push(`${name}=${encodeURIComponent(value)}`);
  }
  return query.join("&");
}

function choose(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.add(new Option(value, value));
  select.value = value;
}

function fill(form, query) {
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === "what_if") continue;
    if (LISTS.includes(name)) {
      const chosen = value.split(",");
      for (const box of form.querySelectorAll(`input[name="${name}"]`)) box.checked = chosen.includes(box.value);
    } else {
      const control = form.elements[name];
      if (control.tagName === "SELECT") choose(control, value);
      else control.value = value;
    }
  }
}

function supposed(page) {
  const value = (id) => page.querySelector(id).value;
  const threshold = page.querySelector("#threshold").value;
  return [value("#supposed-study"), threshold, value("#supposed-events"), value("#supposed-n")].join(":");
}

export function render({ model, el }) {
  const page = document.createElement("div");
  page.className = "reader";
  page.innerHTML = model.layout;
  el.append(page);
  const form = page.querySelector("form");
  const shown = new Map();

  const ask = (query) => {
    page.setAttribute("aria-busy", "true");
    model.send_msg({ query });
  };
  const show = () => {
    for (const [name, html] of Object.entries(model.regions)) {
      const region = page.querySelector(`[data-region="${name}"]`);
      if (region && shown.get(name) !== html) region.innerHTML = html;
      shown.set(name, html);
    }
    page.removeAttribute("aria-busy");
  };
  const settle = () => {
    fill(form, model.complete);
    const search = `?${model.query}`;
    if (window.location.search !== search && (window.location.search || !model.at_start)) {
      window.history.pushState(null, "", search);
    }
  };
  const tell = (text) => { page.querySelector("[data-told]").textContent = text; };

  page.addEventListener("submit", (event) => event.preventDefault());
  page.addEventListener("change", (event) => {
    if (!event.target.id.startsWith("supposed-")) ask(asked(form));
  });
  page.addEventListener("click", (event) => {
    const hit = (name) => event.target.closest(`[${name}]`);
    if (hit("data-add")) ask(`${asked(form)}&what_if=${encodeURIComponent(supposed(page))}`);
    else if (hit("data-remove")) {
      hit("data-remove").closest("li").remove();
      page.querySelector("[data-add]").focus();
      ask(asked(form));
    } else if (hit("data-reset")) {
      fill(form, model.complete); // what was refused goes
      ask("");
    } else if (hit("data-skip")) {
      event.preventDefault();
      page.querySelector("main").focus();
    } else if (hit("data-copy")) {
      navigator.clipboard.writeText(window.location.href).then(() => tell("Copied."), () => tell(window.location.href));
    }
  });
  window.addEventListener("popstate", () => ask(window.location.search.slice(1)));
  model.on("regions", show);
  model.on("complete", settle);
  const phone = window.matchMedia("(max-width: 40rem)"); // as in dashboard.css: figures for one column
  const drawFor = () => model.send_msg({ narrow: phone.matches });
  phone.addEventListener("change", drawFor);
  if (phone.matches) drawFor();
  if (window.matchMedia("(max-width: 56rem)").matches) page.querySelector("details.controls").open = false;
  fill(form, model.complete);
  show();
  document.getElementById("first")?.remove();
}
