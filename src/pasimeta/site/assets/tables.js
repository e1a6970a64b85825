// Tables with class "sortable": column heads become buttons that sort; forms with data-filters hide rows.
(function () {
  "use strict";

  function text(row, column) {
    return row.cells[column] ? row.cells[column].textContent.trim() : "";
  }

  // numbers by size ("6–8" by its lower end), then words; what is unknown comes last either way
  function compare(a, b, down) {
    var unknown = (a === "–" || a === "" ? 1 : 0) - (b === "–" || b === "" ? 1 : 0);
    if (unknown) return unknown;
    var x = parseFloat(a.replace(/,/g, "").replace("\u2212", "-"));
    var y = parseFloat(b.replace(/,/g, "").replace("\u2212", "-"));
    var order = !isNaN(x) && !isNaN(y) && x !== y ? x - y : a.localeCompare(b, "en", { numeric: true });
    return down ? -order : order;
  }

  function sort(table, column, down) {
    var body = table.tBodies[0];
    var rows = Array.prototype.map.call(body.rows, function (row, place) {
      return { row: row, key: text(row, column), place: place };
    });
    rows.sort(function (a, b) { return compare(a.key, b.key, down) || a.place - b.place; });
    var sorted = document.createDocumentFragment();
    rows.forEach(function (item) { sorted.appendChild(item.row); });
    body.appendChild(sorted);
    table.dispatchEvent(new Event("sorted"));
  }

  document.querySelectorAll("table.sortable").forEach(function (table) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(table, column, down);
      });
    });
  });

  // long tables are shown in parts, so that a phone needn't lay out a thousand rows
  var PART = 100;

  document.querySelectorAll("form[data-filters]").forEach(function (form) {
    var table = document.getElementById(form.dataset.filters);
    var body = table.tBodies[0];
    var words = new Map();
    Array.prototype.forEach.call(body.rows, function (row) { words.set(row, row.textContent.toLowerCase()); });
    var told = form.querySelector("output");
    var more = document.createElement("button");
    more.type = "button";
    table.parentElement.after(more);
    var most = PART;
    function show() {
      var wanted = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
      var choices = Array.prototype.filter.call(form.elements, function (field) {
        return field.name.indexOf("column-") === 0 && field.value;
      });
      var count = 0;
      Array.prototype.forEach.call(body.rows, function (row) {
        var fits = wanted.every(function (word) { return words.get(row).indexOf(word) >= 0; }) &&
          choices.every(function (field) { return text(row, Number(field.name.slice(7))) === field.value; });
        if (fits) count += 1;
        row.hidden = !fits || count > most;
      });
      told.textContent = count + " of " + words.size;
      more.hidden = count <= most;
      more.textContent = "Show all " + count;
    }
    form.addEventListener("input", function () { most = PART; show(); });
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    table.addEventListener("sorted", show);
    more.addEventListener("click", function () { most = Infinity; show(); });
    addEventListener("beforeprint", function () { most = Infinity; show(); });
    show();
  });
})();
