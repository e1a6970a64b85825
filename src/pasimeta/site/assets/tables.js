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

  document.querySelectorAll("form[data-filters]").forEach(function (form) {
    var table = document.getElementById(form.dataset.filters);
    var rows = Array.prototype.map.call(table.tBodies[0].rows, function (row) {
      return { row: row, words: row.textContent.toLowerCase() };
    });
    var shown = form.querySelector("output");
    function filter() {
      var words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
      var choices = Array.prototype.filter.call(form.elements, function (field) {
        return field.name.indexOf("column-") === 0 && field.value;
      });
      var count = 0;
      rows.forEach(function (item) {
        var fits = words.every(function (word) { return item.words.indexOf(word) >= 0; }) &&
          choices.every(function (field) { return text(item.row, Number(field.name.slice(7))) === field.value; });
        item.row.hidden = !fits;
        if (fits) count += 1;
      });
      shown.textContent = count + " of " + rows.length;
    }
    form.addEventListener("input", filter);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    filter();
  });
})();
