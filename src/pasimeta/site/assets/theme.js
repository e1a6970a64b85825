// Before anything is painted: the reader's choice of light or dark, if one was made, and that scripts run.
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("scripted");
  try {
    var chosen = localStorage.getItem("pasimeta-theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch (error) { /* storage is refused to some pages opened from disk */ }
})();
