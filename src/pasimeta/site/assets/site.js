// The menu on narrow screens, and the choice of light or dark.
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

  // on a narrow screen the table of contents would push the page down
  var contents = document.querySelector(".contents details");
  if (contents && matchMedia("(max-width: 75rem)").matches) contents.open = false;
})();
