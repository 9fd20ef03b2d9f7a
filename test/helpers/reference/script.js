// Without it the page is whole; it adds the filter, and on a small screen it folds the menu.
const menu = document.getElementById("menu");
const filter = document.getElementById("filter");
const isSmall = matchMedia("(max-width: 60rem)");

const entries = [...document.querySelectorAll("li[data-for]")].map((item) => {
  const article = document.getElementById(item.dataset.for);
  return { item, article, text: article.textContent.toLowerCase() };
});

function applyFilter() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const { item, article, text } of entries) {
    const isShown = words.every((word) => text.includes(word));
    item.hidden = !isShown;
    article.hidden = !isShown;
  }
  for (const group of document.querySelectorAll(".group, .tag")) {
    group.hidden = [...group.querySelectorAll("li[data-for], article")].every((each) => each.hidden);
  }
  document.getElementById("nothing").hidden = entries.some(({ item }) => !item.hidden);
}

filter.disabled = false;
filter.addEventListener("input", applyFilter);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== filter) {
    event.preventDefault();
    menu.open = true;
    filter.focus();
  }
  if (event.key === "Escape" && document.activeElement === filter) {
    filter.value = "";
    applyFilter();
  }
});

function foldMenu() {
  menu.open = !isSmall.matches;
}
isSmall.addEventListener("change", foldMenu);
foldMenu();
for (const link of menu.querySelectorAll("a")) {
  link.addEventListener("click", () => {
    if (isSmall.matches) menu.open = false;
  });
}

// A link to what the filter hides takes the filter away.
addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target?.closest("[hidden]")) return;
  filter.value = "";
  applyFilter();
  target.scrollIntoView();
});
