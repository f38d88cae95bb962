"use strict";
(() => {
  const find = document.getElementById("find");
  const rows = [...document.querySelectorAll("tr.v")];
  const texts = new Map();
  const layers = (row) => [...row.querySelectorAll(".stays, .replaced")].map((cell) => cell.dataset.label);
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, [row.textContent, ...layers(row)].join("\n").toLowerCase());
    return texts.get(row);
  };

  const show = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const defaults = words.length > 0 || document.getElementById("defaults").checked;
    const kinds = ["numerics", "resources", "logistics"].filter((kind) => document.getElementById("k-" + kind).checked);
    const open = document.querySelector(".sheet:target, .sheet:has(:target)");
    const everywhere = !document.body.classList.contains("tree") || !open;
    const linked = words.length ? null : document.querySelector("tr.v:target");
    let count = 0;
    const seen = new Set();
    for (const row of rows) {
      const fits = kinds.some((kind) => row.classList.contains(kind)) && words.every((word) => textOf(row).includes(word));
      row.hidden = !fits && row !== linked;
      if (row === linked) seen.add(row.parentElement);
      if (fits && (defaults || !row.classList.contains("d"))) {
        count += everywhere || open.contains(row);
        seen.add(row.parentElement).add(row.closest(".sheet"));
      }
    }
    for (const part of document.querySelectorAll(".values tbody")) part.hidden = !seen.has(part);
    for (const sheet of document.querySelectorAll(".tree .sheet")) {
      sheet.hidden = words.length > 0 && sheet !== open && !seen.has(sheet);
    }
    document.body.classList.toggle("searching", words.length > 0);
    document.getElementById("found").textContent = words.length ? (count === 1 ? "1 value" : `${count} values`) : "";
  };

  if (find) {
    let timer = 0;
    find.disabled = false;
    find.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(show, 80); });
    document.getElementById("tools").addEventListener("change", show);
    addEventListener("hashchange", () => {
      show();
      document.querySelector("tr.v:target")?.scrollIntoView();
    });
    document.getElementById("tools").addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("keydown", (event) => {
      const typing = event.target.matches("input, textarea, select");
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        find.focus();
      }
      if (event.key === "Escape" && event.target === find && find.value) {
        find.value = "";
        show();
      }
    });
    show();
    const head = document.querySelector("header");
    new ResizeObserver(() => {
      document.documentElement.style.setProperty("--top", `${head.offsetHeight}px`);
    }).observe(head);
  }

  const sortBy = (table, index, heading) => {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const of = (row) => row.cells[index];
    const compare = (a, b) => of(a).dataset.sort === undefined
      ? of(a).textContent.localeCompare(of(b).textContent)
      : Number(of(a).dataset.sort) - Number(of(b).dataset.sort);
    const sorted = [...table.tBodies[0].rows].sort((a, b) => (up ? compare(a, b) : compare(b, a)));
    table.tBodies[0].append(...sorted);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((heading, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.addEventListener("click", () => sortBy(table, index, heading));
      heading.replaceChildren(button);
    });
  }
})();
