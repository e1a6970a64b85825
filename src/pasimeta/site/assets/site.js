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
    var names = Array.prototype.map.call(table.tHead.rows[0].cells, function (head) { return head.textContent.trim(); });
    Array.prototype.forEach.call(table.tBodies, function (body) {
      Array.prototype.forEach.call(body.rows, function (row) {
        Array.prototype.forEach.call(row.cells, function (cell, column) {
          if (cell.dataset.label !== undefined) return;
          var value = document.createElement("div");
          value.append.apply(value, Array.prototype.slice.call(cell.childNodes));
          cell.append(value);
          cell.dataset.label = names[column];
        });
      });
    });
  }
  var phone = matchMedia("(max-width: 50rem)");
  function stackTables() {
    document.querySelectorAll(".table-scroll > table").forEach(function (table) {
      table.classList.remove("stacked");
      if (!phone.matches || !table.tHead || table.querySelector("[colspan], [rowspan]")) return;
      if (table.scrollWidth <= table.parentElement.clientWidth) return;
      nameCells(table);
      table.classList.add("stacked");
    });
  }
  stackTables();
  phone.addEventListener("change", stackTables);

  // what is folded away is printed all the same
  addEventListener("beforeprint", function () {
    document.querySelectorAll("details.more").forEach(function (folded) { folded.open = true; });
  });

  // on a narrow screen the table of contents would push the page down
  var contents = document.querySelector(".contents details");
  if (contents && matchMedia("(max-width: 85rem)").matches) contents.open = false;
})();
