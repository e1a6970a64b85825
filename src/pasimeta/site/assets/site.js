// The menu and wide tables on narrow screens, and the choice of light or dark.
(function () {
  "use strict";
  var root = document.documentElement;

  var menuButton = document.querySelector(".menu-button");
  menuButton.addEventListener("click", function () {
    var open = root.classList.toggle("menu-open");
    menuButton.setAttribute("aria-expanded", String(open));
  });

  var themeButton = document.querySelector(".theme-button");
  var systemDark = matchMedia("(prefers-color-scheme: dark)");
  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches;
  }
  function name() {
    themeButton.textContent = isDark() ? "Light" : "Dark";
    themeButton.setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours");
  }
  themeButton.hidden = false;
  themeButton.addEventListener("click", function () {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("pasimeta-theme", root.dataset.theme);
    } catch (error) { /* the choice then lasts for this page */ }
    name();
  });
  systemDark.addEventListener("change", name);
  name();

  // a table too wide for a phone: one block a row, each value under its column's name
  function nameCells(table) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    var shown = heads.map(function (head) { return head.offsetParent !== null; });
    var names = heads.map(function (head) { return head.textContent.trim(); });
    Array.prototype.forEach.call(table.tBodies, function (body) {
      Array.prototype.forEach.call(body.rows, function (row) {
        Array.prototype.forEach.call(row.cells, function (cell, column) {
          if (!shown[column] || cell.dataset.label !== undefined) return;
          var value = document.createElement("div");
          value.append.apply(value, Array.prototype.slice.call(cell.childNodes));
          cell.append(value);
          cell.dataset.label = names[column];
        });
      });
    });
  }
  var phone = matchMedia("(max-width: 50rem)");
  function stack(table) {
    table.classList.remove("stacked");
    if (!phone.matches || !table.tHead || table.querySelector("[colspan], [rowspan]")) return;
    if (table.scrollWidth <= table.parentElement.clientWidth) return;
    nameCells(table);
    table.classList.add("stacked");
  }
  function stackTables() {
    document.querySelectorAll(".table-scroll > table").forEach(stack);
  }
  stackTables();
  document.addEventListener("reshaped", function (event) { stack(event.target); });
  phone.addEventListener("change", stackTables);

  // the steps of a notebook, for who wants them
  var heading = document.querySelector("main h1");
  var steps = document.querySelectorAll("details.code");
  if (steps.length) {
    var codeButton = document.createElement("button");
    codeButton.type = "button";
    codeButton.className = "code-button print-hide";
    heading.after(codeButton);
    var showCode = function (shown) {
      root.classList.toggle("code-shown", shown);
      steps.forEach(function (step) { step.open = shown; });
      codeButton.textContent = shown ? "Hide code" : "Show code";
    };
    codeButton.addEventListener("click", function () { showCode(!root.classList.contains("code-shown")); });
    showCode(false);
  }

  // what is folded away is printed all the same
  addEventListener("beforeprint", function () {
    document.querySelectorAll("details.more").forEach(function (folded) { folded.open = true; });
  });

  // on a narrow screen the table of contents would push the page down
  var contents = document.querySelector(".contents details");
  if (contents && matchMedia("(max-width: 85rem)").matches) contents.open = false;
})();
