// Names for what the theme leaves without one, for readers that do not see the page.
function name() {
  document.querySelectorAll(".md-search[role=dialog]").forEach((e) => e.setAttribute("aria-label", "Search"));
  document.querySelectorAll(".md-version__current").forEach((e) => e.setAttribute("aria-label", `${e.textContent.trim()}: select a version`));
  document.querySelectorAll(".md-nav--primary .md-nav[aria-labelledby]").forEach((e) => {
    const title = e.querySelector(":scope > .md-nav__title");
    if (!title) return;
    e.removeAttribute("aria-labelledby");
    e.setAttribute("aria-label", `Pages of ${title.textContent.trim()}`);
  });
  document.querySelectorAll(".md-code__nav").forEach((e, i) => e.setAttribute("aria-label", `Code ${i + 1}`));
  document.querySelectorAll(".md-typeset__scrollwrap").forEach((e, i) => {
    e.tabIndex = 0;
    e.setAttribute("role", "region");
    e.setAttribute("aria-label", `Table ${i + 1}`);
  });
}
document.addEventListener("DOMContentLoaded", () => {
  name();
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
});
