// Which columns of a sortable table are shown: a box each, kept for the next visit where the browser allows it.
(function () {
  "use strict";

  document.querySelectorAll("table.sortable").forEach(function (table) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    var kept = "pasimeta-columns-" + table.id;
    var first = heads.map(function (head) { return !head.classList.contains("extra"); });
    var sheet = document.createElement("style");
    document.head.append(sheet);
    table.querySelectorAll(".extra").forEach(function (cell) { cell.classList.remove("extra"); });

    var choice = document.createElement("details");
    choice.className = "columns print-hide";
    var summary = document.createElement("summary");
    var boxes = document.createElement("fieldset");
    var legend = document.createElement("legend");
    legend.className = "out-of-sight";
    legend.textContent = "Columns of the table " + table.caption.textContent;
    boxes.append(legend);
    choice.append(summary, boxes);
    table.parentElement.before(choice);

    // the first column names the rows, and stays
    var inputs = heads.slice(1).map(function (head) {
      var label = document.createElement("label");
      var input = document.createElement("input");
      input.type = "checkbox";
      label.append(input, head.textContent);
      boxes.append(label);
      return input;
    });
    function button(words, chosen) {
      var made = document.createElement("button");
      made.type = "button";
      made.textContent = words;
      made.addEventListener("click", function () { show(chosen); keep(chosen); reshape(); });
      boxes.append(made);
    }
    button("All columns", heads.map(function () { return true; }));
    button("Usual columns", first);

    function show(chosen) {
      inputs.forEach(function (input, place) { input.checked = chosen[place + 1]; });
      var hidden = heads.map(function (head, place) { return place; }).filter(function (place) { return !chosen[place]; });
      sheet.textContent = hidden.map(function (place) {
        return "#" + table.id + " tr > :nth-child(" + (place + 1) + ") { display: none !important; }";
      }).join(" ");
      summary.textContent = "Columns (" + (heads.length - hidden.length) + " of " + heads.length + ")";
    }
    function reshape() {
      table.dispatchEvent(new Event("reshaped", { bubbles: true }));
    }
    // by name, so that a column that comes or goes doesn't shift the others
    function keep(chosen) {
      var names = heads.filter(function (head, place) { return chosen[place]; }).map(function (head) { return head.textContent; });
      try {
        localStorage.setItem(kept, JSON.stringify(names));
      } catch (error) { /* the choice then lasts for this visit */ }
    }
    function earlier() {
      try {
        var names = JSON.parse(localStorage.getItem(kept));
        return Array.isArray(names) && heads.map(function (head, place) {
          return place === 0 || names.indexOf(head.textContent) >= 0;
        });
      } catch (error) {
        return null;
      }
    }
    boxes.addEventListener("change", function () {
      var chosen = [true].concat(inputs.map(function (input) { return input.checked; }));
      show(chosen);
      keep(chosen);
      reshape();
    });
    var before = earlier();
    show(before || first);
    if (before) reshape();
  });
})();
